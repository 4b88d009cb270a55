import { looksLikeSuccess } from '../counting/index.js';
import { type Selector, showSelector } from '../promql/index.js';
import { type CounterExpression, matches, type Sample, type Signals, strayMatchers } from '../signals/index.js';
import type { Arm } from './arm.js';
import type { Finding } from './facts.js';
import { failuresIn } from './failures.js';
import { GRPC_NUMBERS, grpcFaults } from './grpc.js';
import { list, numbers } from './words.js';

/**
 * Whether `errors` selects the failures of the requests, and nothing else. Each of these would be counted into a verdict that is wrong and
 * certified all the same.
 */
export function selectionFindings(arm: Arm, signals: Signals): Finding[] {
  return [...unselected(arm, signals), ...strays(arm, signals), ...successes(arm, signals)];
}

/**
 * Series of requests whose labels look like a failure, and which `errors` does not count: a mistake where they have the labels by which
 * failures are told; of other labels a person has to say what they mean.
 */
function unselected(arm: Arm, { requests, errors }: Signals): Finding[] {
  if (!errors?.among) return [];
  const telling = labelsOf(addedOf(errors));
  const rest = arm.own.filter((sample) => isAdded(requests, sample) && !isAdded(errors, sample));
  return failuresIn(rest, telling).map(({ label, value, samples }): Finding => {
    const words = `${label}=${JSON.stringify(value)} looks like a failure, and ${errors.text} does not count it (${numbers(totalOf(samples))} so far)`;
    const advice =
      'Select it as well in signals.errors, e.g. with =~; or leave such requests out of signals.requests, e.g. with !=.';
    return { level: telling.has(label) ? 'fatal' : 'warning', arm: arm.name, signal: 'errors', words, advice };
  });
}

/**
 * Series of the requests' own metric that count as failures and not as requests: failures of somebody else. They may come at any time where
 * a label that tells requests from others is not asked of the failures at all.
 */
function strays(arm: Arm, { requests, errors }: Signals): Finding[] {
  if (requests === null || errors === null || errors.among) return [];
  return addedOf(errors).flatMap((selector): Finding[] => {
    const lacking = strayMatchers(selector, requests);
    const found = arm.own.filter((sample) => matches(selector, sample) && !isCounted(requests, sample));
    const isOpen = lacking.some(({ label }) => !selector.matchers.some((matcher) => matcher.label === label));
    if (lacking.length === 0 || (found.length === 0 && !isOpen)) return [];
    const labels = [...new Set(lacking.map(({ label }) => label))];
    const which = labels.map((label) => `${label}=${JSON.stringify(found[0]?.labels[label] ?? '')}`).join(', ');
    const seen = found.length === 0 ? '' : ` (${which}: ${numbers(totalOf(found))} so far)`;
    const words = `${showSelector(selector)} also counts failures of requests that signals.requests leaves out${seen}`;
    const advice = `Write ${showSelector({ ...selector, matchers: [...selector.matchers, ...lacking] })} in signals.errors.`;
    return [{ level: 'fatal', arm: arm.name, signal: 'errors', words, advice }];
  });
}

/** What is selected as a failure and says that it is none, as `code="ok"` where `code!="OK"` is selected. */
function successes(arm: Arm, { requests, errors }: Signals): Finding[] {
  if (requests === null || errors === null) return [];
  // Where the requests themselves are narrowed by a label, or one value is named, that is what was meant.
  const named = labelsOf(addedOf(requests));
  const open = errors.terms.flatMap(({ sign, selector: { matchers } }) =>
    matchers.filter(({ op }) => sign === -1 || op !== '=').map(({ label }) => label),
  );
  const labels = [...new Set(open)].filter((label) => !named.has(label));
  const names = new Set(requests.terms.map(({ selector }) => selector.name));
  const found = new Map<string, Sample[]>();
  const ofRequests = arm.own.filter(({ name }) => names.has(name));
  // Where no number is left out, it is not numbers that are meant: gRPC's 0 is OK.
  const isOk = ({ name, labels }: Sample, label: string): boolean =>
    labels[label] === '0' &&
    grpcFaults(ofRequests.flatMap((one) => one.labels[label] ?? []))?.are === 'numbers' &&
    GRPC_NUMBERS.every((code) => isCounted(errors, { name, labels: { ...labels, [label]: code }, value: 0 }));
  for (const sample of ofRequests) {
    if (!isCounted(errors, sample)) continue;
    for (const label of labels) {
      const value = sample.labels[label] ?? '';
      if (!(looksLikeSuccess(value, label) || isOk(sample, label)) || isListed(value, label, addedOf(errors))) continue;
      const key = `${label}=${JSON.stringify(value)}`;
      found.set(key, [...(found.get(key) ?? []), sample]);
    }
  }
  if (found.size === 0) return [];
  const count = numbers(totalOf([...new Set([...found.values()].flat())]));
  const words = `${list([...found.keys()])} does not look like a failure, and ${errors.text} counts it as one (${count} so far)`;
  const advice = 'Select failures alone in signals.errors, e.g. with !~ and all values that are none.';
  return [{ level: 'fatal', arm: arm.name, signal: 'errors', words, advice }];
}

/** No value at all says little by itself: where somebody lists it among the failures, as LiteLLM's `None`, it is one. */
function isListed(value: string, label: string, selectors: readonly Selector[]): boolean {
  if (!/^(none|null)$/i.test(value)) return false;
  const matchers = selectors.flatMap((selector) => selector.matchers);
  return matchers.some((one) => one.label === label && one.op === '=~' && one.value.split('|').includes(value));
}

function labelsOf(selectors: readonly Selector[]): Set<string> {
  return new Set(selectors.flatMap(({ matchers }) => matchers.map(({ label }) => label)));
}

function addedOf(counter: CounterExpression | null) {
  return (counter?.terms ?? []).filter(({ sign }) => sign === 1).map(({ selector }) => selector);
}

function isAdded(counter: CounterExpression | null, sample: Sample): boolean {
  return addedOf(counter).some((selector) => matches(selector, sample));
}

/** Whether a series is added, and not taken off again. */
function isCounted(counter: CounterExpression, sample: Sample): boolean {
  const takenOff = counter.terms.some(({ sign, selector }) => sign === -1 && matches(selector, sample));
  return isAdded(counter, sample) && !takenOff;
}

export function totalOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0);
}

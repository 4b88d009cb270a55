import { fits, type Matcher, type Selector } from '../promql/index.js';
import { matches, type Sample, type Signals } from '../signals/index.js';
import { absence, seen } from './absence.js';
import type { Arm } from './arm.js';
import type { Finding } from './facts.js';
import { failuresIn } from './failures.js';
import type { Needs } from './needs.js';
import { asFinding, counted, notWhole } from './signal.js';
import { list, numbers } from './words.js';

/** What was found of the failures; nothing where the policy does not judge them. */
export function errorFindings(arm: Arm, other: Arm | null, signals: Signals, needs: Needs): Finding[] {
  const { errors } = signals;
  if (errors === null || needs.errors.length === 0) return [];
  if (errors.among) return [...unselected(arm, signals), ...selected(arm, signals)];
  return errors.terms.flatMap(({ sign, selector }): Finding[] => {
    const missing = absence(arm, selector, 'counter', true, other);
    if (missing === null) return [...notWhole(arm, 'errors', selector), counted(arm, 'errors', selector)];
    const finding = asFinding(arm, 'errors', 'counter', missing);
    if (finding.level === 'fatal' || sign === -1) return [finding];
    if (errors.absent === 'zero') return [{ ...finding, level: 'info', words: `${finding.words}: read as no failure` }];
    const advice = 'If it appears with the first failure, say so: signals.errors: { count: ..., absent: zero }.';
    return [{ ...finding, advice: finding.advice ?? advice }];
  });
}

/**
 * Series of requests whose labels look like a failure, and which `errors` does not count: a mistake where they have the labels by which
 * failures are told; of other labels a person has to say what they mean.
 */
function unselected(arm: Arm, { requests, errors }: Signals): Finding[] {
  const failed = errors?.terms.filter(({ sign }) => sign === 1).map(({ selector }) => selector) ?? [];
  const telling = new Set(failed.flatMap(({ matchers }) => matchers.map(({ label }) => label)));
  const all = arm.own.filter((sample) =>
    requests?.terms.some(({ sign, selector }) => sign === 1 && matches(selector, sample)),
  );
  const rest = all.filter((sample) => !failed.some((selector) => matches(selector, sample)));
  return failuresIn(rest, telling).map(({ label, value, samples }): Finding => {
    const words = `${label}=${JSON.stringify(value)} looks like a failure, and ${errors?.text} does not count it (${numbers(totalOf(samples))} so far)`;
    const advice =
      'Select it as well in signals.errors, e.g. with =~; or leave such requests out of signals.requests, e.g. with !=.';
    return { level: telling.has(label) ? 'fatal' : 'warning', arm: arm.name, signal: 'errors', words, advice };
  });
}

/** The values of the labels that tell failures, and how many failures there are. */
function selected(arm: Arm, { requests, errors }: Signals): Finding[] {
  if (requests === null || errors === null) return [];
  const all = arm.own.filter((sample) => requests.terms.some(({ selector }) => matches(selector, sample)));
  if (all.length === 0) return [];
  const failures = errors.terms.filter(({ sign }) => sign === 1).map(({ selector }) => selector);
  const common = new Set(requests.terms.flatMap(({ selector }) => selector.matchers.map(({ label }) => label)));
  const telling = failures.flatMap(({ matchers }) => matchers).filter(({ label }) => !common.has(label));
  const labels = [...new Set(telling.map(({ label }) => label))];
  const failed = all.filter((sample) => failures.some((selector) => matches(selector, sample)));
  const values = labels.map((label) => seen(label, all).words);
  const how = values.length === 0 ? '' : ` (${values.join('; ')})`;
  const words = `${errors.text}: ${numbers(totalOf(failed))} so far${how}`;
  const of = { arm: arm.name, signal: 'errors' };
  const wrong = [
    ...labels.flatMap((label) => otherSpelling(label, all, telling)),
    ...(failures.some((failure) => canCome(failure, all, common))
      ? []
      : labels.flatMap((label) => noSuchLabel(label, all, telling))),
  ];
  return [...wrong.map((finding) => ({ ...of, ...finding })), { ...of, level: 'info', words }];
}

/** Whether requests have all labels by which this part selects failures; of several parts, one that can come is enough. */
function canCome({ matchers }: Selector, all: readonly Sample[], common: ReadonlySet<string>): boolean {
  return matchers.every(
    (matcher) =>
      common.has(matcher.label) || fits(matcher, '') || all.some(({ labels }) => labels[matcher.label] !== undefined),
  );
}

/** Failures that have not happened yet, and would be written in another way than the one that is selected. */
function otherSpelling(label: string, all: readonly Sample[], telling: readonly Matcher[]): Found[] {
  const { values, words } = seen(label, all);
  const fitting = (texts: readonly string[]): boolean => {
    const of = telling.filter((matcher) => matcher.label === label);
    return texts.some((text) => of.some((matcher) => fits(matcher, text)));
  };
  const codes = values.some((value) => /^\d{3}$/.test(value)) && !fitting(CODES) && fitting(CLASSES);
  const classes = values.some((value) => /^\dxx$/i.test(value)) && !fitting(CLASSES) && fitting(CODES);
  if (!codes && !classes) return [];
  const [there, right] = codes ? ['codes, not classes', '5..'] : ['classes, not codes', '5xx'];
  return [
    {
      level: 'fatal',
      words: `the values of ${label} are ${there} (${words}): what is selected as a failure never comes`,
      advice: `Select ${label}=~"${right}" in signals.errors.`,
    },
  ];
}

/** A label that no request has, served though some are: misspelt, nothing would ever count as a failure. */
function noSuchLabel(label: string, all: readonly Sample[], telling: readonly Matcher[]): Found[] {
  const ofValue = telling.some((matcher) => matcher.label === label && !fits(matcher, '') && !fits(matcher, ANY_VALUE));
  if (!ofValue || all.some(({ labels }) => labels[label] !== undefined)) return [];
  const have = [...new Set(all.flatMap((sample) => Object.keys(sample.labels)))];
  const what = have.length === 0 ? 'no labels' : `the labels ${list(have)}`;
  const words = `no request has the label ${label}, they have ${what}: until one has, nothing counts as failed`;
  // Such a label may come with the first failure.
  if (/err|fail|exception|reason/i.test(label) || totalOf(all) === 0) return [{ level: 'warning', words }];
  return [{ level: 'fatal', words, mayAppear: true }];
}

type Found = Omit<Finding, 'arm' | 'signal'>;

const CODES = Array.from({ length: 100 }, (_, i) => String(500 + i));
const CLASSES = ['5xx', '5XX'];
/** A value that only a matcher of all values fits. */
const ANY_VALUE = 'any value';

function totalOf(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + (Number.isFinite(value) ? value : 0), 0);
}

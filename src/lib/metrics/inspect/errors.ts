import { looksLikeSuccess } from '../counting/index.js';
import { fits, type Matcher, type Selector } from '../promql/index.js';
import { matches, type Sample, type Signals } from '../signals/index.js';
import { absence, seen } from './absence.js';
import type { Arm } from './arm.js';
import type { Finding } from './facts.js';
import { GRPC_NAMES, GRPC_NUMBERS, grpcFaults } from './grpc.js';
import type { Needs } from './needs.js';
import { notCounts } from './not-counts.js';
import { selectionFindings, totalOf } from './selection.js';
import { asFinding, counted } from './signal.js';
import { list, numbers } from './words.js';

/** What was found of the failures; nothing where the policy does not judge them. */
export function errorFindings(arm: Arm, other: Arm | null, signals: Signals, needs: Needs): Finding[] {
  const { errors } = signals;
  if (errors === null || needs.errors.length === 0) return [];
  const selection = selectionFindings(arm, signals);
  if (errors.among) return [...selection, ...selected(arm, signals)];
  const found = errors.terms.flatMap(({ sign, selector }): Finding[] => {
    const missing = absence(arm, selector, 'counter', true, other);
    if (missing === null) return [...notCounts(arm, 'errors', selector), counted(arm, 'errors', selector)];
    const finding = asFinding(arm, 'errors', 'counter', missing);
    const good = sign === -1 ? otherSuccesses(arm, selector) : [];
    if (good.length > 0 && finding.advice === undefined)
      return [{ ...finding, level: 'fatal', advice: `Take off all that succeeded: ${list(good)}.`, mayAppear: true }];
    if (finding.level === 'fatal' || sign === -1) return [finding];
    if (errors.absent === 'zero') return [{ ...finding, level: 'info', words: `${finding.words}: read as no failure` }];
    const advice = 'If it appears with the first failure, say so: signals.errors: { count: ..., absent: zero }.';
    return [{ ...finding, advice: finding.advice ?? advice }];
  });
  return [...selection, ...found];
}

/** Label values that say success, where what is taken off as successful is not there. */
function otherSuccesses(arm: Arm, { name, matchers }: Selector): string[] {
  const there = arm.own.filter((sample) => sample.name === name);
  const found = matchers.flatMap(({ label }) =>
    there.flatMap(({ labels }) => {
      const value = labels[label] ?? '';
      return looksLikeSuccess(value, label) ? [`${label}=${JSON.stringify(value)}`] : [];
    }),
  );
  return [...new Set(found)];
}

/** The values of the labels that tell failures, and how many failures there are. */
function selected(arm: Arm, { requests, errors }: Signals): Finding[] {
  if (requests === null || errors === null) return [];
  const all = arm.own.filter((sample) => requests.terms.some(({ selector }) => matches(selector, sample)));
  if (all.length === 0) return [];
  const failures = errors.terms.filter(({ sign }) => sign === 1).map(({ selector }) => selector);
  // Of several counters only those that count failures have the labels by which these are told.
  const telltale = all.filter(({ name }) => failures.some((selector) => selector.name === name));
  const common = new Set(requests.terms.flatMap(({ selector }) => selector.matchers.map(({ label }) => label)));
  const telling = failures.flatMap(({ matchers }) => matchers).filter(({ label }) => !common.has(label));
  const labels = [...new Set(telling.map(({ label }) => label))];
  const failed = all.filter((sample) => failures.some((selector) => matches(selector, sample)));
  const values = telltale.length === 0 ? [] : labels.map((label) => seen(label, telltale).words);
  const how = values.length === 0 ? '' : ` (${values.join('; ')})`;
  const words = `${errors.text}: ${numbers(totalOf(failed))} so far${how}`;
  const of = { arm: arm.name, signal: 'errors' };
  const wrong = [
    ...labels.flatMap((label) => otherSpelling(label, telltale, telling)),
    ...(telltale.length === 0 || failures.some((failure) => canCome(failure, telltale, common))
      ? []
      : labels.flatMap((label) => noSuchLabel(label, telltale, telling))),
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
  const of = telling.filter((matcher) => matcher.label === label);
  const fitting = (texts: readonly string[]): boolean =>
    texts.some((text) => of.some((matcher) => fits(matcher, text)));
  const [codes, classes] = [fitting(CODES), fitting(CLASSES)];
  const are = (form: RegExp): boolean => values.length > 0 && values.every((value) => form.test(value));
  const never = (there: string, advice: string, more: Pick<Found, 'mayAppear'> = {}): Found[] => [
    {
      level: 'fatal',
      words: `the values of ${label} are ${there} (${words}): what is selected as a failure never comes`,
      advice,
      ...more,
    },
  ];
  if (values.some((value) => /^\d{3}$/.test(value)) && !codes && classes)
    return never('codes, not classes', `Select ${label}=~"5.." in signals.errors.`);
  if (values.some((value) => /^\dxx$/i.test(value)) && !classes && codes)
    return never('classes, not codes', `Select ${label}=~"5xx" in signals.errors.`);
  // What is selected otherwise may still come beside them, but most likely does not.
  if (isOpen(of) || values.some((value) => of.some((matcher) => fits(matcher, value)))) return [];
  if (are(/^[1-5]\d\d$/) && !codes)
    return never('codes', `Select ${label}=~"5.." in signals.errors.`, { mayAppear: true });
  const grpc = grpcFaults(values);
  const [own, others] = grpc?.are === 'numbers' ? [GRPC_NUMBERS, GRPC_NAMES] : [GRPC_NAMES, GRPC_NUMBERS];
  if (grpc !== null && !fitting(own) && (fitting(others) || (codes && /grpc/i.test(label))))
    return never(`${grpc.are} of gRPC`, `Select ${label}=~"${grpc.select}" in signals.errors.`, { mayAppear: true });
  if (are(/^[a-z][a-z _-]*$/i) && (codes || classes))
    return never('words, not codes', `Select the word that ${label} has for failures.`, { mayAppear: true });
  return [];
}

/** Whether all values but some are selected. */
function isOpen(matchers: readonly Matcher[]): boolean {
  return matchers.some((matcher) => fits(matcher, ANY_VALUE));
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

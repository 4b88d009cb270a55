import type { Missing } from '../../judge/index.js';
import { fitAll } from '../promql/index.js';
import type { ArmSamples, Sample, Signals } from '../signals/index.js';

const MOST_SEEN = 8;

/**
 * No series is one of a failure. Where failures are told among the very series of requests, that is zero: each failure
 * would be one of them. Of another counter only the user knows whether it appears with the first failure.
 * @returns zero, with what is worth a note at the first look; or why there is no number
 */
export function withoutErrors(
  { errors }: Signals,
  requests: readonly Sample[],
): { missing: Missing | null; note: string | null } {
  const { text, terms, among, absent } = errors!;
  const labels = failureLabels(terms.map(({ selector }) => selector.matchers.map(({ label }) => label)));
  const seen = labels.length === 0 ? '' : ` (${seenValues(requests, labels)})`;
  if (requests.length > 0 && (among || absent === 'zero'))
    return { missing: null, note: `no series ${text} yet${among ? seen : ''}: counted as no failure` };
  const hint = requests.length > 0 ? '; if it appears with the first failure, set absent: zero for errors' : '';
  return { missing: { state: 'absent', detail: `no series ${text}${among ? seen : ''}${hint}` }, note: null };
}

function failureLabels(labels: readonly (readonly string[])[]): string[] {
  return [...new Set(labels.flat())];
}

/** Values that series have for these labels, as in `status seen: 200, 503`. */
export function seenValues(series: readonly Sample[], labels: readonly string[]): string {
  const seen = labels.map((label) => {
    const values = [...new Set(series.flatMap((sample) => sample.labels[label] ?? []))].sort();
    const shown = [...values.slice(0, MOST_SEEN), ...(values.length > MOST_SEEN ? ['...'] : [])];
    return `${label} seen: ${shown.length === 0 ? 'none' : shown.join(', ')}`;
  });
  return seen.join('; ');
}

/** A label value of requests that says failure, while the errors do not select it. */
export interface UnselectedFailure {
  label: string;
  value: string;
  /** How many series have it. */
  series: number;
}

/**
 * Values that look like failures (`500`, `5xx`, `failed`, `UNAVAILABLE`) in the labels by which errors are selected among
 * the requests, and that they do not select: most likely a mistake, as in `status="5xx"` of a page that says `500`.
 */
export function unselectedFailures({ targets }: Pick<ArmSamples, 'targets'>, signals: Signals): UnselectedFailure[] {
  const { requests, errors } = signals;
  if (requests === null || errors === null || !errors.among) return [];
  const found = new Map<string, UnselectedFailure>();
  const plus = requests.terms.filter(({ sign }) => sign === 1);
  for (const { samples } of targets) {
    for (const { name, labels } of samples) {
      if (!plus.some(({ selector }) => selector.name === name && fitAll(selector.matchers, labels))) continue;
      const own = errors.terms.filter(({ selector }) => selector.name === name);
      if (own.some(({ selector }) => fitAll(selector.matchers, labels))) continue;
      for (const label of failureLabels(own.map(({ selector }) => selector.matchers.map((one) => one.label)))) {
        const value = labels[label] ?? '';
        if (!looksLikeFailure(value)) continue;
        const key = JSON.stringify([label, value]);
        const known = found.get(key);
        if (known) known.series += 1;
        else found.set(key, { label, value, series: 1 });
      }
    }
  }
  return [...found.values()];
}

const FAILURE_WORDS = new Set(
  [
    ['error', 'errors', 'err', 'errored', 'fail', 'failed', 'failure', 'failures', 'abort', 'aborted', 'timeout'],
    ['timeouts', 'timedout', 'unavailable', 'exception', 'crash', 'crashed', 'fatal', 'panic', 'internal', 'dropped'],
    ['exceeded', 'exhausted', 'loss', 'ko', 'unhandled'],
  ].flat(),
);
/** A word before these says that it is not one, or that it is the caller's. */
const HARMLESS_WORDS = new Set(['no', 'non', 'none', 'not', 'without', 'client', 'ok', 'success', '4xx']);

/** Whether the value of a label says that a request failed by the service's own fault. */
export function looksLikeFailure(value: string): boolean {
  if (/^5(\d\d|xx|\.\.|\*\*|00s)?$/i.test(value)) return value !== '5';
  const words = value
    .replace(/([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  if (words.some((word) => HARMLESS_WORDS.has(word))) return false;
  return words.some((word) => FAILURE_WORDS.has(word) || /^5(\d\d|xx)$/.test(word));
}

import type { Missing } from '../../judge/index.js';
import { fitAll } from '../promql/index.js';
import type { Sample, Signals } from '../signals/index.js';

const MOST_SEEN = 8;

/**
 * No series is one of a failure. Where failures are told among the very series of requests, that is zero: each failure
 * would be one of them. Of another counter only the user knows whether it appears with the first failure.
 * @returns zero, with what is worth a note at the first look; or why there is no number
 */
export function withoutErrors(
  { errors, requests: all }: Signals,
  requests: readonly Sample[],
): { missing: Missing | null; note: string | null } {
  const { text, terms, among, absent } = errors!;
  // Labels that select requests as well tell nothing of failures: an endpoint, or what is left out of both.
  const common = new Set(all?.terms.flatMap(({ selector }) => selector.matchers.map(({ label }) => label)));
  const labels = failureLabels(terms.map(({ selector }) => selector.matchers.map(({ label }) => label))).filter(
    (label) => !common.has(label),
  );
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

/**
 * Whether a series of requests looks like one of failures (`500`, `5xx`, `failed`, `UNAVAILABLE`) by a label by which errors are selected
 * among the requests, while they do not select it: most likely a mistake, as in `status="5xx"` of a page that says `500`.
 * @returns the label and its value, for a note; null: it does not
 */
export function unselectedFailure({ name, labels }: Sample, { errors }: Signals): string | null {
  if (errors === null || !errors.among) return null;
  const own = errors.terms.filter(({ selector }) => selector.name === name);
  if (own.some(({ selector }) => fitAll(selector.matchers, labels))) return null;
  for (const label of failureLabels(own.map(({ selector }) => selector.matchers.map((one) => one.label)))) {
    const value = labels[label] ?? '';
    if (looksLikeFailure(value, label)) return `${label}=${JSON.stringify(value)}`;
  }
  return null;
}

const FAILURE_WORDS = new Set(
  [
    ['error', 'errors', 'err', 'errored', 'fail', 'failed', 'failing', 'failure', 'failures', 'abort', 'aborted'],
    [
      'timeout',
      'timeouts',
      'timedout',
      'unavailable',
      'unreachable',
      'unhealthy',
      'unsuccessful',
      'exception',
      'crash',
    ],
    [
      'crashed',
      'fatal',
      'fault',
      'faulted',
      'panic',
      'internal',
      'dropped',
      'exceeded',
      'exhausted',
      'loss',
      'ko',
      'nok',
    ],
    ['notok', 'unhandled', 'oom', 'oomkilled', 'killed', 'overloaded', 'broken'],
  ].flat(),
);
/** A word before these says that it is not one, or that it is the caller's. */
const HARMLESS_WORDS = new Set(['no', 'non', 'none', 'not', 'without', 'client', 'ok', 'success', '4xx']);
/** Two words that together say failure. */
const FAILURES_OF_TWO = /\b(not|non) ok\b|\btimed out\b|\bbad gateway\b/;

/** Labels that ask whether a request succeeded, or whether it failed: `success="false"`, `is_error="1"`. */
const ASKS_SUCCESS = /(^|[_.])(success|successful|succeeded|ok|passed|healthy)$/i;
const ASKS_FAILURE = /(^|[_.])(error|errors|err|failed|failure|fail|exception|timeout|timed_?out)$/i;
/** Labels whose values name what went wrong; any value but those of `SAYS_NO` is a failure. */
const NAMES_FAILURE = /(^|[_.])(error|exception)(_?(type|kind|class|name|code|reason))?$/i;
const SAYS_YES = /^(true|t|yes|y|1)$/i;
const SAYS_NO = /^(false|f|no|n|0|none|null|nil|n\/a|ok|-|)$/i;

const GRPC = /(^|[_.])grpc[_.]?(status[_.]?)?(code)?$|(^|[_.])grpc[_.](status|code)/i;
/** Of gRPC's status codes those that are the server's fault, as OpenTelemetry has them for servers. */
const GRPC_FAULTS = /^(2|4|12|13|14|15|unknown|deadline_?exceeded|unimplemented|internal|unavailable|data_?loss)$/i;

/**
 * Whether the value of a label says that a request failed by the service's own fault.
 * @param label tells what a value means that says little by itself, as in `success="false"` or `grpc_code="13"`
 */
export function looksLikeFailure(value: string, label = ''): boolean {
  if (/^5(\d\d|xx|\dx|\.\.|\*\*|00s)?$/i.test(value)) return value !== '5' || /class/i.test(label);
  if (GRPC.test(label) && GRPC_FAULTS.test(value)) return true;
  if (ASKS_SUCCESS.test(label) && /^(false|f|no|n|0)$/i.test(value)) return true;
  if (ASKS_FAILURE.test(label) && SAYS_YES.test(value)) return true;
  const words = wordsOf(value);
  if (FAILURES_OF_TWO.test(words.join(' '))) return true;
  if (words.some((word) => HARMLESS_WORDS.has(word))) return false;
  if (words.some((word) => FAILURE_WORDS.has(word) || /^e?5(\d\d|xx)$/.test(word))) return true;
  return NAMES_FAILURE.test(label) && !SAYS_NO.test(value) && !/^[1-4](\d\d|xx)$/i.test(value);
}

const SUCCESSES = /^(ok|success|successful|succeeded|none|null|no_?error|2\d\d|2xx)$/i;

/** Whether the value of a label says that a request succeeded; what says nothing for certain does not. */
export function looksLikeSuccess(value: string, label: string): boolean {
  if (ASKS_SUCCESS.test(label)) return SAYS_YES.test(value) || SUCCESSES.test(value);
  if (ASKS_FAILURE.test(label) || NAMES_FAILURE.test(label)) return value !== '' && SAYS_NO.test(value);
  return SUCCESSES.test(value) || (GRPC.test(label) && value === '0');
}

function wordsOf(value: string): string[] {
  return value
    .replace(/([a-z])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
}

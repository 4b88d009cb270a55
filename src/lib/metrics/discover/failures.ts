import type { Matcher } from '../promql/index.js';
import { escapeRegex } from '../promql/index.js';
import { type SeriesFact, valuesOf } from './facts.js';

/** A label that tells which requests failed, and how failures are selected by it. */
export interface FailureLabel {
  label: string;
  matcher: Matcher;
  /** Values that were seen; `(none)` where a series lacks the label. */
  seen: string[];
  /** How sure it is that these are the failures: 2 by HTTP status, 1 by words. */
  weight: number;
  /** What a reader should check. */
  doubt: string | null;
}

const STATUS = /(^|[_.])(status|status_?code|statuscode|code|response_?code|http_status|code_class|status_class)$/i;
const OUTCOME = /(^|[_.])(outcome|result|classification|success|grpc_status|grpc_code|state)$/i;
const ERROR_KIND = /(^|[_.])(error|error_type|error_kind|exception|err)$/i;

const FAILING =
  /error|fail|exception|timeout|timed_?out|unavailable|internal|panic|crash|abort|reject|denied|^5(\d\d|xx)$/i;
const CLIENT = /client|invalid|not_?found|bad_?request|^4(\d\d|xx)$|cancel/i;
const GOOD = /^(ok|success|succeeded|successful|true|1|0|completed?|done|hit|2xx|200)$/i;

/**
 * The label among these series' that tells failures, best first. A status of three digits is HTTP's: 5xx are failures of
 * the service, 4xx those of its callers.
 */
export function failureLabels(series: readonly SeriesFact[]): FailureLabel[] {
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))];
  const found = names.flatMap((label) => {
    const one = failureLabel(label, series);
    return one === null ? [] : [one];
  });
  return found.sort((a, b) => b.weight - a.weight);
}

function failureLabel(label: string, series: readonly SeriesFact[]): FailureLabel | null {
  const values = valuesOf(series, label).filter((value) => value !== '');
  const lacking = series.some(({ labels }) => (labels[label] ?? '') === '');
  const seen = [...values, ...(lacking ? ['(none)'] : [])];
  const by = (op: Matcher['op'], value: string, weight: number, doubt: string | null = null): FailureLabel => ({
    label,
    matcher: { label, op, value },
    seen,
    weight,
    doubt,
  });
  if (values.length === 0) return null;
  if (STATUS.test(label)) {
    const broken = values.includes('0') && values.some((value) => /^\d{3}$/.test(value));
    if (values.every((value) => /^([1-5]\d\d|0)$/.test(value))) return by('=~', broken ? '5..|0' : '5..', 4);
    const classed = values.find((value) => /^[1-5]xx$/i.test(value));
    if (classed !== undefined && values.every((value) => /^([1-5]xx|\D+)$/i.test(value)))
      return by('=', classed.endsWith('X') ? '5XX' : '5xx', 4);
    if (values.every((value) => /^[1-5]$/.test(value))) return by('=', '5', /class/i.test(label) ? 4 : 1);
    return byWords(values, by);
  }
  if (OUTCOME.test(label)) return byWords(values, by);
  if (ERROR_KIND.test(label) && !values.every((value) => /^(none|no|false|0)$/i.test(value)))
    return lacking ? by('!=', '', 2) : noneNamed(values, by);
  if (ERROR_KIND.test(label)) return noneNamed(values, by);
  return null;
}

type By = (op: Matcher['op'], value: string, weight: number, doubt?: string | null) => FailureLabel;

/** `exception="None"`: every request carries the label. */
function noneNamed(values: readonly string[], by: By): FailureLabel | null {
  const none = values.filter((value) => /^(none|no|false|0)$/i.test(value));
  return none.length === 0 ? null : without(none, by, 2);
}

/** `outcome="SERVER_ERROR"`, `classification="failure"`, `success="false"`, `grpc_code="Unavailable"`. */
function byWords(values: readonly string[], by: By): FailureLabel | null {
  if (values.includes('SUCCESS') || values.some((value) => /^(SERVER|CLIENT)_ERROR$/.test(value)))
    return by('=', 'SERVER_ERROR', 3);
  if (values.some((value) => /^(true|false)$/i.test(value)))
    return by('=', values.some((value) => /^(True|False)$/.test(value)) ? 'False' : 'false', 3);
  const good = values.filter((value) => GOOD.test(value));
  const bad = values.filter((value) => FAILING.test(value) && !CLIENT.test(value) && !GOOD.test(value));
  const others = values.filter((value) => !good.includes(value) && !bad.includes(value));
  // A value that is new counts as a failure: better to look at it than to miss it.
  if (good.length > 0 && others.length === 0) return without(good, by, 2);
  if (good.length > 0) return without([...good, ...others], by, 1, `${others.join(', ')} counts as success`);
  if (bad.length === 0) return null;
  return by('=~', alternatives(bad), 1, others.length === 0 ? null : `${others.join(', ')} counts as success`);
}

function without(values: readonly string[], by: By, weight: number, doubt: string | null = null): FailureLabel {
  return values.length === 1 ? by('!=', values[0]!, weight, doubt) : by('!~', alternatives(values), weight, doubt);
}

function alternatives(values: readonly string[]): string {
  return values.map(escapeRegex).join('|');
}

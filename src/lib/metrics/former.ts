import { escapeRegex, type Matcher, showSelector, writeMatchers } from './promql/index.js';
import { BY_GATE, equal, type SignalsConfig, type Unit } from './signals/index.js';
import type { SourceDescriptor } from './source.js';

/**
 * Sources as they were written and recorded before there were `signals`: metric names under `metrics`, each with its labels,
 * where a value in slashes was a regular expression.
 */
interface FormerMetrics {
  latency?: string;
  latencyUnit?: Unit;
  requests?: string;
  requestLabels?: Labels;
  errors?: string;
  errorLabels?: Labels;
  errorsAbsent?: 'no_data' | 'zero';
  score?: string | null;
  inflight?: string | null;
}
type Labels = Record<string, string>;

/** What a former source lacked had these values. */
const DEFAULTS = {
  latency: 'model_latency',
  latencyUnit: 's',
  requests: 'model_requests_total',
  errors: 'model_errors_total',
  errorsAbsent: 'no_data',
  score: 'model_score',
  inflight: 'model_inflight_requests',
} as const satisfies FormerMetrics;

/** Keys under `metrics` that are none of its own: nothing can be made of them. */
export function unknownMetrics({ metrics }: Readonly<Record<string, unknown>>): string[] {
  const known = [...Object.keys(DEFAULTS), 'requestLabels', 'errorLabels'];
  return isGroup(metrics) ? Object.keys(metrics).filter((key) => !known.includes(key)) : [];
}

/** Keys of `source` that stood there before. */
export const FORMER_KEYS = ['metrics', 'labels', 'canaryLabels', 'baselineLabels'] as const;

/** A source that was recorded in the former form, in the form of today. */
export function upgraded(recorded: SourceDescriptor): SourceDescriptor {
  const former = recorded as unknown as Record<string, unknown>;
  const { metrics, labels, canaryLabels, baselineLabels, canaryUrl, baselineUrl, ...rest } = former;
  const signals = signalsOf((metrics ?? {}) as FormerMetrics);
  if (former['kind'] === 'prometheus') {
    const arm = labels === undefined ? BY_GATE.canary : writeMatchers(matchersOf(labels as Labels));
    return { ...rest, arms: { canary: arm, baseline: arm }, signals } as unknown as SourceDescriptor;
  }
  const arms = {
    canary: writeMatchers(equal((canaryLabels ?? {}) as Labels)),
    baseline: writeMatchers(equal((baselineLabels ?? {}) as Labels)),
  };
  const baselineUrls = baselineUrl === null || baselineUrl === undefined ? null : [baselineUrl];
  return { ...rest, canaryUrls: [canaryUrl], baselineUrls, arms, signals } as unknown as SourceDescriptor;
}

/**
 * A `source` section as it was written formerly, in the form of today: what to write in its place, to be shown as YAML.
 * What it says nothing of keeps the value that it had.
 */
export function rewritten(source: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { metrics, labels, canaryLabels, baselineLabels, ...rest } = source;
  const former = { ...DEFAULTS, ...(isGroup(metrics) ? metrics : {}) } as FormerMetrics;
  const { requests, errors, histograms, drift, inflight } = signalsOf(amongRequests(former));
  const arms = isGroup(labels)
    ? { canary: armOf(labels), baseline: armOf(labels) }
    : { canary: canaryLabels ?? {}, ...(isGroup(baselineLabels) ? { baseline: baselineLabels } : {}) };
  const hasArms = FORMER_KEYS.some((key) => key !== 'metrics' && key in source);
  return {
    source: rest,
    ...(hasArms ? { arms } : {}),
    signals: {
      requests,
      errors: errors?.absent === 'zero' && former.errors !== former.requests ? errors : errors?.count,
      latency: histograms['latency'],
      ...(drift === null ? {} : { drift }),
      ...(inflight === null ? {} : { inflight }),
    },
  };
}

/** Failures of the requests' own metric were selected without the requests' labels, which nobody meant. */
function amongRequests(former: FormerMetrics): FormerMetrics {
  const { requests, errors, requestLabels = {}, errorLabels = {} } = former;
  return requests === errors ? { ...former, errorLabels: { ...requestLabels, ...errorLabels } } : former;
}

function signalsOf(given: FormerMetrics): SignalsConfig {
  const metrics = { ...DEFAULTS, ...given };
  const { requestLabels = {}, errorLabels = {}, score, inflight } = metrics;
  return {
    preset: null,
    requests: showSelector({ name: metrics.requests, matchers: matchersOf(requestLabels) }),
    errors: {
      count: showSelector({ name: metrics.errors, matchers: matchersOf(errorLabels) }),
      absent: metrics.errorsAbsent,
    },
    histograms: {
      latency: { histogram: showSelector({ name: metrics.latency, matchers: [] }), unit: metrics.latencyUnit },
    },
    drift: score === null ? null : { histogram: showSelector({ name: score, matchers: [] }) },
    inflight: inflight === null ? null : showSelector({ name: inflight, matchers: [] }),
  };
}

/** A value stood for itself, or was a regular expression where written `/re/`. */
function matchersOf(labels: Labels): Matcher[] {
  return Object.entries(labels).map(([label, value]) => {
    const pattern = patternOf(value);
    if (pattern === null) return { label, op: '=', value };
    const but = allBut(pattern);
    return { label, ...(but ?? { op: '=~', value: pattern }) };
  });
}

/**
 * What a pattern matches that takes every value but some, as in `(?!OK$).*`: RE2, which Prometheus has and selectors have
 * now, knows no look-ahead. Null: it is another one.
 */
function allBut(pattern: string): Pick<Matcher, 'op' | 'value'> | null {
  const [, negative, rest] = /^\^?\(\?!([^()]*)\)(\.[*+])\$?$/.exec(pattern) ?? [];
  if (negative === undefined) return null;
  const values = negative.split('|').map((one) => (/(?<!\\)\$$/.test(one) ? one.slice(0, -1) : `${one}.*`));
  if (rest === '.+') values.push('');
  const [first = '', ...more] = values;
  const plain = more.length === 0 && escapeRegex(first) === first;
  return plain ? { op: '!=', value: first } : { op: '!~', value: values.join('|') };
}

/** Source of the regular expression in `/5../`; null when the value stands for itself. */
function patternOf(value: string): string | null {
  return value.length >= 2 && value.startsWith('/') && value.endsWith('/') ? value.slice(1, -1) : null;
}

/** Labels as they may be written under `arms`: a matcher text where one of them is a regular expression. */
function armOf(labels: Record<string, unknown>): unknown {
  const all = Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const plain = all.every(([, value]) => patternOf(value) === null);
  return plain ? labels : writeMatchers(matchersOf(Object.fromEntries(all)));
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

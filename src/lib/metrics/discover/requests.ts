import type { Matcher } from '../promql/index.js';
import { escapeRegex } from '../promql/index.js';
import { byNumbers, rateOf, type SeriesFact, valuesOf } from './facts.js';
import { type FailureLabel, failureLabels } from './failures.js';
import { type CounterFamily, type Families, type HistogramFamily, isTime } from './families.js';

/** Metrics of a runtime, a client or a part of the work: they do not count what users ask for. */
const OTHER_WORK =
  /(^|[_:.])(go|gc|nodejs|process|python|jvm|prometheus|promhttp|scrape|alertmanager|etcd|apiserver|workqueue|kubelet|tomcat|hikaricp|jdbc)[_:.]|event_?loop|garbage|compil|startup|(^|_)db_|sql|redis|cache|queue|dns|handshake|connect|prefill|decode|pre_?process|post_?process|(^|_)client_/i;
const TOKENS = /token|ttf|prompt|per_output|inter_/i;
const REQUESTS = /request|requests/i;
const SERVING = /http|server|grpc|rpc|predict|infer|model|invocation|response|e2e|calls?(_|$)/i;
const FAILED = /error|fail|exception|abort|reject|5xx|denied|timeout/i;
const GOOD = /success|succeeded|_ok(_|$)|completed/i;
const NOT_COUNTED = /bytes|size|_sum$|token|retries|retry|duration|seconds|latency|in_?flight|_created$|dropped/i;

const traffic = (series: readonly SeriesFact[]): number => ((rateOf(series) ?? 0) > 0 ? 4 : 0);

/** Histograms that can be the time of a request, best first. */
export function latencies(families: Families): HistogramFamily[] {
  const path = families.counters.some(({ series }) => pathMatcher(series) !== null);
  const score = (h: HistogramFamily): number =>
    (OTHER_WORK.test(h.name) ? -8 : 0) +
    (TOKENS.test(h.name) ? -6 : 0) +
    (REQUESTS.test(h.name) ? 3 : 0) +
    (SERVING.test(h.name) ? 3 : 0) +
    (/e2e|total/i.test(h.name) ? 2 : 0) +
    (h.unitBy === 'guess' ? 0 : 1) +
    traffic(h.counts) +
    Math.min(h.bounds.length, 20) / 10 +
    (path && h.counts.some(({ labels }) => pathLabel(labels) !== null) ? 3 : 0) +
    (failureLabels(h.counts).length > 0 ? 2 : 0);
  return families.histograms
    .filter((h) => isTime(h.name) && h.unit !== '1' && h.bounds.length > 0 && !OTHER_WORK.test(h.name))
    .filter((h) => !TOKENS.test(h.name) || /e2e/i.test(h.name))
    .sort((a, b) => score(b) - score(a) || byNumbers(a.name, b.name));
}

/** How requests, and among them failures, are counted. */
export interface RequestsFound {
  /** Names that are added up. */
  requests: CounterFamily[];
  /** Health checks left out; one side of two that both report. */
  path: Matcher | null;
  failures:
    | { by: 'label'; found: FailureLabel }
    | { by: 'counter'; counter: CounterFamily; path: Matcher | null }
    | null;
  others: string[];
}

/**
 * The counter of requests: that of the latency's own histogram where it tells failures, else another one that does, else
 * one beside which failures are counted, else the best by name. Null: nothing counts requests.
 */
export function requestsFound(families: Families, latency: HistogramFamily | null): RequestsFound | null {
  const own = latency === null ? [] : [{ name: `${latency.name}_count`, series: latency.counts }];
  const plain = families.counters.filter(
    ({ name }) =>
      (!NOT_COUNTED.test(name.replace(/_count$/, '')) || timesAll(name)) &&
      !OTHER_WORK.test(name) &&
      !FAILED.test(name),
  );
  const score = ({ name, series }: CounterFamily): number =>
    (REQUESTS.test(name) ? 4 : 0) +
    (SERVING.test(name) ? 2 : 0) +
    (timesAll(name) ? -3 : 0) +
    traffic(series) +
    (failureLabels(series)[0]?.weight ?? 0) * 2 +
    (latency === null ? 0 : Math.min(5, commonPrefix(name, latency.name) / 4));
  const counters = plain.filter(({ name }) => REQUESTS.test(name) || SERVING.test(name));
  const ranked = counters.sort((a, b) => score(b) - score(a) || byNumbers(a.name, b.name));
  const told = [...own, ...ranked.filter((one) => score(one) > 0)].find(
    ({ series }) => (failureLabels(series)[0]?.weight ?? 0) >= 2,
  );
  const best = ranked[0] ?? own[0];
  if (best === undefined) return null;
  const others = (taken: readonly CounterFamily[]) =>
    ranked.map(({ name }) => name).filter((name) => !taken.some((one) => one.name === name));
  if (told !== undefined) {
    const failure = failureLabels(told.series)[0]!;
    const found = { requests: [told], path: pathMatcher(told.series), others: others([told]) };
    return { ...found, failures: { by: 'label', found: failure } };
  }
  const failed = failureCounter(families, best.name);
  const requests = failed !== null && GOOD.test(best.name) ? [best, failed] : [best];
  const failures =
    failed === null ? null : { by: 'counter' as const, counter: failed, path: pathMatcher(failed.series) };
  return { requests, path: pathMatcher(best.series), failures, others: others(requests) };
}

/** Of a summary, or of a histogram whose buckets are not kept: it has observed each request once. */
function timesAll(name: string): boolean {
  const [, base] = /^(.+)_count$/.exec(name) ?? [];
  return base !== undefined && isTime(base) && !TOKENS.test(base) && !/bytes|size|retries|retry|dropped/i.test(base);
}

/** Requests that failed, counted apart, with the name most like that of all requests. */
function failureCounter({ counters }: Families, requests: string): CounterFamily | null {
  const like = ({ name }: CounterFamily) => commonPrefix(name, requests) + (REQUESTS.test(name) ? 3 : 0);
  const failed = counters
    .filter(({ name }) => FAILED.test(name) && !OTHER_WORK.test(name) && !/retr|scrape/i.test(name))
    .sort((a, b) => like(b) - like(a) || byNumbers(a.name, b.name));
  return failed[0] ?? null;
}

function commonPrefix(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}

const PATHS = /(^|[_.])(handler|path|route|endpoint|uri|url|http_route|operation)$/i;
const HEALTH =
  /^\/?(-\/|api\/|v\d\/)*(health|healthz|health_check|livez|readyz|ready|live|liveness|readiness|ping|metrics|status|startup|favicon\.ico|docs|openapi\.json|actuator)(\/.*)?$/i;

function pathLabel(labels: Readonly<Record<string, string>>): string | null {
  return Object.keys(labels).find((name) => PATHS.test(name)) ?? null;
}

/** Leaves out what only asks for health or metrics; null: nothing has to be left out. */
export function pathMatcher(series: readonly SeriesFact[]): Matcher | null {
  const label = series.map(({ labels }) => pathLabel(labels)).find((name) => name !== null);
  if (label === undefined || label === null) return null;
  const values = valuesOf(series, label);
  const health = values.filter((value) => HEALTH.test(value));
  const served = values.filter((value) => !HEALTH.test(value));
  if (health.length === 0 || served.length === 0) return null;
  if (served.length === 1) return { label, op: '=', value: served[0]! };
  return { label, op: '!~', value: health.map(escapeRegex).join('|') };
}

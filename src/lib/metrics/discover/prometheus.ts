import { LukhasError } from '../../errors.js';
import { httpCredentials } from '../credentials.js';
import { type ApiAnswer, type ApiSeries, PrometheusApi, queryEndpoint } from '../prometheus/index.js';
import { escapeRegex, type Matcher, writeSelector } from '../promql/index.js';
import type { SourceAuth } from '../source.js';
import type { Facts, SeriesFact } from './facts.js';

export interface PrometheusInput {
  url: string;
  auth: SourceAuth;
  /** Matchers without a name, as in `{job="fraud"}`; null: everything. */
  selector: string | null;
  timeoutMs: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  signal?: AbortSignal;
}

/** Traffic is that of the last five minutes, or since the series began. */
const REACH_MS = 300_000;
const STEP_MS = 15_000;
/** Of a service that has been scraped for less than two steps, every sample is read. */
const YOUNG_REACH_MS = 60_000;
/** More are too many to read at once, and more than one service has. */
const MOST_SERIES = 10_000;
/** Runtimes and exporters: nothing of it counts requests. */
const NEVER =
  /^(go|process|python|nodejs|jvm|scrape|promhttp|prometheus|alertmanager|up$|ALERTS|node_|kube_|container_|machine_|cadvisor|kubelet|apiserver|etcd|net_conntrack|vm_|vmagent|flag|workqueue|rest_client)/;
const WORTH =
  /_bucket$|_count$|_total$|request|response|infer|predict|success|failure|error|fail|abort|in_?flight|in_progress|running|concurren|invocation|rq_xx/i;
const USELESS = /_sum$|_created$|_info$|_bytes/;

/**
 * What a Prometheus holds of a service, by two queries: which names there are, then their samples of the last five minutes.
 * @throws LukhasError SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_INVALID, PROMQL; USAGE when there is nothing, or too much
 */
export async function prometheusFacts(input: PrometheusInput): Promise<Facts> {
  const api = new PrometheusApi({
    endpoint: queryEndpoint(input.url),
    credentials: httpCredentials(input.auth),
    timeoutMs: input.timeoutMs,
    shareMs: 0,
    random: Math.random,
  });
  try {
    return await read(api, input);
  } finally {
    api.close();
  }
}

async function read(api: PrometheusApi, { selector, now, signal }: PrometheusInput): Promise<Facts> {
  const within = selector === null ? '' : selector.trim().replace(/^\{/, '').replace(/\}$/, '').trim();
  const matchers = (names: string) => `{__name__=~${JSON.stringify(names)}${within === '' ? '' : `,${within}`}}`;
  const counts = series(await api.query(`count by (__name__) (${matchers('.+')})`, signal));
  const names = counts
    .map(({ metric, value }) => ({ name: metric['__name__'] ?? '', count: Number(value?.[1] ?? 0) }))
    .filter(({ name }) => WORTH.test(name) && !NEVER.test(name) && !USELESS.test(name));
  const all = names.reduce((sum, { count }) => sum + count, 0);
  if (names.length === 0) throw nothing(selector, counts.length);
  if (all > MOST_SERIES)
    throw new LukhasError(
      'USAGE',
      `Prometheus holds ${all} series that could count requests: too many to choose from`,
      {
        suggestions: [`Name your service: --selector '{job="fraud"}'.`],
      },
    );
  const until = now();
  const wanted = matchers(names.map(({ name }) => escapeRegex(name)).join('|'));
  let range = series(await api.queryRange(wanted, until - REACH_MS, until, STEP_MS, signal));
  if (longest(range) < 2 * (STEP_MS / 1000)) range = series(await api.samples(wanted, YOUNG_REACH_MS, signal));
  const seconds = longest(range);
  return {
    series: range.map(fact),
    types: new Map(),
    units: new Map(),
    seconds: seconds === 0 ? null : seconds,
    scrapeSeconds: await scrapeSeconds(api, within, signal),
  };
}

/** Seconds from the first to the last sample of the series that has been there for longest. */
function longest(range: readonly ApiSeries[]): number {
  return range.reduce((most, { values = [] }) => Math.max(most, (values.at(-1)?.[0] ?? 0) - (values[0]?.[0] ?? 0)), 0);
}

function fact({ metric, values = [] }: ApiSeries): SeriesFact {
  const { __name__: name = '', ...labels } = metric;
  const samples = values.map(([t, text]) => [t, Number(text)] as const);
  const [first, last] = [samples[0], samples.at(-1)];
  let rise = 0;
  for (let i = 1; i < samples.length; i++) {
    const step = samples[i]![1] - samples[i - 1]![1];
    rise += step < 0 ? samples[i]![1] : step;
  }
  const seconds = first === undefined || last === undefined ? 0 : last[0] - first[0];
  return { page: 0, name, labels, value: last?.[1] ?? Number.NaN, perSecond: seconds > 0 ? rise / seconds : null };
}

/** Seconds between two samples, by those of the target that has most of them; null where nothing tells. */
async function scrapeSeconds(api: PrometheusApi, within: string, signal?: AbortSignal): Promise<number | null> {
  const most = await api.query(`topk(1, count_over_time(up{${within}}[5m]))`, signal);
  const metric = most.ok && most.type === 'vector' ? most.series[0]?.metric : undefined;
  if (metric === undefined) return null;
  const target = Object.entries(metric).map(([label, value]): Matcher => ({ label, op: '=', value }));
  const answer = await api.samples(writeSelector(['up'], target), REACH_MS, signal);
  const times = (answer.ok && answer.type === 'matrix' ? (answer.series[0]?.values ?? []) : []).map(([t]) => t);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  // The middle one: a scrape that was missed leaves a gap of two intervals.
  const middle = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)];
  return middle === undefined ? null : Math.max(1, Math.round(middle));
}

function series(answer: ApiAnswer): ApiSeries[] {
  if (answer.ok && (answer.type === 'vector' || answer.type === 'matrix')) return answer.series;
  if (answer.ok)
    throw new LukhasError('SOURCE_INVALID', 'Prometheus answered with a number where series were asked for');
  const { missing, refusal } = answer;
  if (refusal !== undefined) throw new LukhasError('PROMQL', `--selector: ${refusal}`);
  const code =
    missing.state === 'refused'
      ? 'SOURCE_REFUSED'
      : missing.state === 'unreachable'
        ? 'SOURCE_UNREACHABLE'
        : 'SOURCE_INVALID';
  throw new LukhasError(code, missing.detail ?? missing.state, {
    suggestions: [
      code === 'SOURCE_REFUSED'
        ? 'Set PROM_BEARER, or PROM_USERNAME and PROM_PASSWORD.'
        : 'Give the address of a Prometheus, e.g. --prom-url http://127.0.0.1:9090; for a metrics page use --url.',
    ],
  });
}

function nothing(selector: string | null, series: number): LukhasError {
  const where = selector === null ? 'Prometheus' : `Prometheus, as ${selector},`;
  return new LukhasError('USAGE', `${where} holds nothing that counts requests (${series} names seen)`, {
    suggestions: ['Is the service scraped? Its target has to be UP on the Targets page of Prometheus.'],
  });
}

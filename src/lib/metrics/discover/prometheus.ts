import { LukhasError } from '../../errors.js';
import { httpCredentials } from '../credentials.js';
import type { Labels } from '../labels.js';
import { type ApiAnswer, type ApiSeries, PrometheusApi, queryEndpoint } from '../prometheus/index.js';
import { escapeRegex, type Matcher, writeSelector } from '../promql/index.js';
import type { SourceAuth } from '../source.js';
import type { Facts, SeriesFact } from './facts.js';
import { matcherText } from './picks.js';
import { type Holding, type Said, SERVICE_LABELS, type Service, servicesOf } from './services.js';

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
/** Of many series fewer samples have to do. */
const WIDE_STEP_MS = 150_000;
/** Of a service that has been scraped for less than two steps, every sample is read. */
const YOUNG_REACH_MS = 60_000;
/** More are read with wide steps. */
const MANY_SERIES = 5000;
/** More are too many to choose from, and more than one service should have. */
const MOST_SERIES = 50_000;
/** Of one query: its answer has to be of a bearable size, and its address too. */
const MOST_AT_ONCE = { series: 5000, characters: 4000 };
/** Runtimes, exporters and the tools beside a service: nothing of it counts its requests. */
const NEVER =
  /^((go|process|python|nodejs|jvm|scrape|promhttp|prometheus|alertmanager|node|kube|container|machine|cadvisor|kubelet|apiserver|etcd|net_conntrack|vm|vmagent|vminsert|vmselect|vmstorage|flag|workqueue|rest_client|controller_runtime|coredns|grafana|loki|cortex|thanos|pushgateway|probe|certmanager|argocd)_|(up|flag|ALERTS\w*)$)/;
const WORTH =
  /_bucket$|_count$|_total$|request|response|infer|predict|success|failure|error|fail|abort|in_?flight|in_?progress|running|concurren|invocation|rq_xx/i;
const USELESS = /_sum$|_created$|_info$|_bytes/;

/**
 * Services whose requests a Prometheus holds. One query.
 * @throws LukhasError SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_INVALID, PROMQL; USAGE when there is none
 */
export async function prometheusServices(input: PrometheusInput, said: Said = {}): Promise<Service[]> {
  return asking(input, async (api) => {
    const by = ['__name__', ...SERVICE_LABELS].join(', ');
    const counts = series(await api.query(`count by (${by}) (${within(input, '.+')})`, input.signal));
    const holdings = counts
      .map(({ metric: { __name__: name = '', ...labels }, value }): Holding => {
        return { name, labels, series: Number(value?.[1] ?? 0) };
      })
      .filter(({ name }) => WORTH.test(name) && !NEVER.test(name) && !USELESS.test(name));
    const services = servicesOf(holdings, said);
    if (services.length === 0) throw await nothing(api, input, new Set(counts.map(({ metric }) => metric['__name__'])));
    return services;
  });
}

/**
 * What a Prometheus holds of a service: the samples of the last five minutes of what could be judged.
 * @throws LukhasError SOURCE_UNREACHABLE, SOURCE_REFUSED, SOURCE_INVALID, PROMQL; USAGE when there is too much
 */
export async function prometheusFacts(input: PrometheusInput, { holdings, matchers }: Service): Promise<Facts> {
  const sizes = new Map<string, number>();
  for (const { name, series: count } of holdings) sizes.set(name, (sizes.get(name) ?? 0) + count);
  const all = [...sizes.values()].reduce((sum, count) => sum + count, 0);
  if (all > MOST_SERIES)
    throw new LukhasError(
      'USAGE',
      `Prometheus holds ${all.toLocaleString('en')} series of this service that could count requests: too many to choose from`,
      { suggestions: [`Name a part of it, e.g. --selector '{namespace="production"}'.`] },
    );
  const until = input.now();
  const step = all > MANY_SERIES ? WIDE_STEP_MS : STEP_MS;
  return asking(input, async (api) => {
    const read = async (ask: (selector: string) => Promise<ApiAnswer>): Promise<ApiSeries[]> => {
      const range: ApiSeries[] = [];
      for (const names of batches(sizes))
        range.push(...series(await ask(within(input, names.map(escapeRegex).join('|'), matchers))));
      return range;
    };
    let range = await read((selector) => api.queryRange(selector, until - REACH_MS, until, step, input.signal));
    if (longest(range) < 2 * (step / 1000))
      range = await read((selector) => api.samples(selector, YOUNG_REACH_MS, input.signal));
    const seconds = longest(range);
    return {
      series: range.map(fact),
      types: new Map(),
      units: new Map(),
      seconds: seconds === 0 ? null : seconds,
      scrapeSeconds: null,
    };
  });
}

/** Series of as many jobs are asked for their samples, and as many of each. */
const ASKED = { jobs: 8, each: 3 };

/**
 * Seconds between two samples of the series that are judged; of those that are read more rarely than others, as a check sees
 * them all. Null where nothing tells.
 */
export async function scrapeSeconds(input: PrometheusInput, judged: readonly SeriesFact[]): Promise<number | null> {
  const jobs = [...Map.groupBy(judged, ({ labels }) => labels['job'] ?? '').values()];
  const asked = jobs.slice(0, ASKED.jobs).flatMap((own) => ofSeveralTargets(own).slice(0, ASKED.each));
  return asking(input, async (api) => {
    const gaps = await Promise.all(
      asked.map(async ({ name, labels }) => {
        const matchers = Object.entries(labels).map(([label, value]): Matcher => ({ label, op: '=', value }));
        return gap(await api.samples(writeSelector([name], matchers), REACH_MS, input.signal));
      }),
    );
    const known = gaps.filter((one) => one !== null);
    return known.length === 0 ? null : Math.max(1, Math.round(Math.max(...known)));
  });
}

/** One series of each target, those of different targets first. */
function ofSeveralTargets(series: readonly SeriesFact[]): SeriesFact[] {
  const target = ({ labels }: { labels: Labels }) => labels['instance'] ?? labels['pod'] ?? '';
  return [...Map.groupBy(series, target).values()].map(([first]) => first!);
}

/** Seconds between two samples; null for fewer than two. */
function gap(answer: ApiAnswer): number | null {
  const times = (answer.ok && answer.type === 'matrix' ? (answer.series[0]?.values ?? []) : []).map(([t]) => t);
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  // The middle one: a scrape that was missed leaves a gap of two intervals.
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? null;
}

async function asking<T>(input: PrometheusInput, work: (api: PrometheusApi) => Promise<T>): Promise<T> {
  const api = new PrometheusApi({
    endpoint: queryEndpoint(input.url),
    credentials: httpCredentials(input.auth),
    timeoutMs: input.timeoutMs,
    shareMs: 0,
    random: Math.random,
  });
  try {
    return await work(api);
  } finally {
    api.close();
  }
}

function within({ selector }: PrometheusInput, names: string, matchers: readonly Matcher[] = []): string {
  const own =
    selector === null ? '' : selector.trim().replace(/^\{/, '').replace(/\}$/, '').replace(/,\s*$/, '').trim();
  const parts = [`__name__=~${JSON.stringify(names)}`, own, ...matchers.map(matcherText)];
  return `{${parts.filter((part) => part !== '').join(',')}}`;
}

/** Names that are asked for together. */
function batches(sizes: ReadonlyMap<string, number>): string[][] {
  const all: string[][] = [];
  let [series, characters] = [0, 0];
  for (const [name, size] of sizes) {
    series += size;
    characters += name.length + 1;
    if (all.length > 0 && series <= MOST_AT_ONCE.series && characters <= MOST_AT_ONCE.characters)
      all.at(-1)!.push(name);
    else {
      all.push([name]);
      [series, characters] = [size, name.length + 1];
    }
  }
  return all;
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
        ? 'Set PROM_BEARER, or PROM_USERNAME and PROM_PASSWORD, or name a variable with --bearer-env.'
        : 'Give the address of a Prometheus, with the path before /graph or /api if it has one, e.g. --prom-url http://127.0.0.1:9090; for a metrics page use --url.',
    ],
  });
}

const MOST_NAMED = 5;

/** Why there is no service: no target, targets that are down, or metrics of something else. */
async function nothing(
  api: PrometheusApi,
  { selector, signal }: PrometheusInput,
  names: ReadonlySet<string | undefined>,
): Promise<LukhasError> {
  const where = selector === null ? 'Prometheus' : `Prometheus, as ${selector},`;
  const own = selector?.trim() ?? '';
  const answer = await api.query(`up${own}`, signal);
  const targets = answer.ok && answer.type === 'vector' ? answer.series : [];
  const down = targets.filter(({ value }) => value?.[1] === '0').map(({ metric }) => targetName(metric));
  const seen = names.size === 1 ? '1 name' : `${names.size} names`;
  const suggestion =
    down.length > 0
      ? `Not answering when Prometheus scrapes: ${down.slice(0, MOST_NAMED).join(', ')}${down.length > MOST_NAMED ? ', ...' : ''}. Is the service running?`
      : targets.length > 0
        ? 'The service is scraped, but has no counter of requests and no histogram of latencies: docs/init.md says what to expose.'
        : 'Is the service scraped? Its target has to be UP on the Targets page of Prometheus.';
  return new LukhasError('USAGE', `${where} holds nothing that counts requests (${seen} seen)`, {
    suggestions: [suggestion],
  });
}

function targetName({ job = '', instance = '' }: Record<string, string>): string {
  return [job, instance].filter((part) => part !== '').join(' ');
}

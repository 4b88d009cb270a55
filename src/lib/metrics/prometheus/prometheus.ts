import { LukhasError } from '../../errors.js';
import type { Missing } from '../../judge/index.js';
import { httpCredentials } from '../credentials.js';
import type { Facts } from '../inspect/index.js';
import { checkPromql, substitute } from '../promql/index.js';
import { fillMatchers, parseArms } from '../signals/index.js';
import type { InspectRequest, MetricSource, PrometheusConfig, SourceAuth } from '../source.js';
import { PrometheusApi } from './api.js';
import { queryEndpoint, queryPlace } from './config.js';
import { checkUnits } from './expressions.js';
import { labelsSeen } from './labels-seen.js';
import { type PastAccount, type PastSpan, PrometheusPast } from './past.js';
import { PrometheusReader } from './reader.js';

export interface PrometheusOptions {
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Uniform in [0, 1); spreads the retries. */
  random?: () => number;
  /** How long an answer serves further readers of the same query, milliseconds. */
  shareMs?: number;
}

const SHARE_MS = 500;

/**
 * Reads raw counters through Prometheus' query API and takes their increments here, as `increase()` extrapolates; and
 * the user's own expressions as scalars.
 * @throws LukhasError CONFIG for a URL, credentials or labels that cannot work.
 */
export function openPrometheus(
  config: PrometheusConfig,
  auth: SourceAuth,
  options: PrometheusOptions = {},
): MetricSource {
  const api = apiOf(config, auth, options);
  const answers = {
    samples: api.samples.bind(api),
    value: api.value.bind(api),
    labelsSeen: labelsSeen(
      (expr) => api.query(expr),
      () => performance.now(),
    ),
  };
  const source = new PrometheusReader(config, answers, options.now ?? Date.now);
  return {
    descriptor: { ...config, kind: 'prometheus' },
    pace: 'clock',
    check: () => checkPrometheus(config, api),
    inspect: (request) => inspectThrough(config, api, request),
    read: (request) => source.read(request),
    close: async () => api.close(),
  };
}

/**
 * What a Prometheus holds of a time that has passed, to be looked at as a canary would have at that time.
 * @throws LukhasError CONFIG as `openPrometheus`
 */
export function openPrometheusPast(
  config: PrometheusConfig,
  auth: SourceAuth,
  span: PastSpan,
  options: PrometheusOptions = {},
): PastSource {
  const api = apiOf(config, auth, { shareMs: 0, ...options });
  const past = new PrometheusPast(api, config, span);
  const reader = new PrometheusReader(config, past, () => past.at);
  return {
    check: () => checkPrometheus(config, api),
    read(request) {
      past.at = request.at;
      return reader.read(request);
    },
    account: () => past.account(),
    close: async () => api.close(),
  };
}

/** A source whose looks are taken at the times that they name, in rising order. */
export interface PastSource extends Pick<MetricSource, 'check' | 'read' | 'close'> {
  /** What has been read so far. */
  account(): PastAccount;
}

function apiOf(config: PrometheusConfig, auth: SourceAuth, options: PrometheusOptions): PrometheusApi {
  return new PrometheusApi({
    endpoint: queryEndpoint(config.url),
    credentials: httpCredentials(auth),
    timeoutMs: config.timeoutMs,
    shareMs: options.shareMs ?? SHARE_MS,
    random: options.random ?? Math.random,
  });
}

/** Checks as `check` does, and says what is there for each arm. */
async function inspectThrough(config: PrometheusConfig, api: PrometheusApi, request: InspectRequest): Promise<Facts> {
  const { inspectPrometheus } = await import('./inspect.js');
  const { modelId: model, windowSeconds: window, signals } = request;
  const arms = parseArms(config.arms);
  const { canaryGate, baselineGate } = request;
  const baseline = fillMatchers(arms.baseline, { gate: baselineGate, model, window });
  const asked = {
    url: config.url,
    reachMs: config.staleSeconds * 1000,
    signals,
    canary: fillMatchers(arms.canary, { gate: canaryGate, model, window }),
    baseline: request.withBaseline ? baseline : null,
  };
  const [facts] = await Promise.all([inspectPrometheus(api, asked), checkPrometheus(config, api)]);
  return facts;
}

async function checkPrometheus(config: PrometheusConfig, api: PrometheusApi): Promise<void> {
  const queries = Object.entries(config.queries);
  for (const [name, expr] of queries) checkPromql(expr, { where: queryPlace(name) });
  checkUnits(config.queries);
  const access = await api.query('vector(1)');
  if (!access.ok) return refuseAccess(access.missing);
  const sample = { gate: 'gate', model: 'model', window: 60 };
  const tests = queries.map(async ([name, expr]) => {
    const place = queryPlace(name);
    const answer = await api.query(substitute(expr, sample, place));
    if (!answer.ok && answer.refusal !== undefined)
      throw new LukhasError('PROMQL', `${place}: Prometheus refuses the expression: ${answer.refusal}`);
  });
  await Promise.all(tests);
}

/** Throws for what only the user can change; a server that is down may come up later. */
function refuseAccess({ state, detail }: Missing): void {
  if (state === 'refused')
    throw new LukhasError(
      'SOURCE_REFUSED',
      `Prometheus refuses access: ${detail}; check PROM_BEARER, PROM_USERNAME and PROM_PASSWORD, or bearerEnv, basic and headersEnv of the source`,
    );
  if (state === 'invalid')
    throw new LukhasError('SOURCE_INVALID', `not a Prometheus query API: ${detail}; check PROM_URL`);
}

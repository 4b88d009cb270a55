import { LukhasError } from '../../errors.js';
import { parseUrl } from '../../input/index.js';
import { PROMETHEUS_DEFAULTS, PROMETHEUS_URL, type PrometheusConfig, type SourceAuth } from '../source.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Environment variable behind each query, for messages; the second one is the older name. */
const QUERY_VARIABLES = {
  latency_p95_ms: ['PROM_Q_LAT', 'PROM_QUERY_LAT'],
  error_rate: ['PROM_Q_ERR', 'PROM_QUERY_ERR'],
  drift: ['PROM_Q_DRIFT'],
} as const;

/** How messages call the query of that name. */
export function queryPlace(name: string): string {
  return name in QUERY_VARIABLES ? QUERY_VARIABLES[name as keyof typeof QUERY_VARIABLES][0] : `query ${name}`;
}

/**
 * Reads `PROM_URL`, `PROM_BEARER`, `PROM_USERNAME` with `PROM_PASSWORD`, `PROM_CA_FILE`, `PROM_Q_LAT`, `PROM_Q_ERR`
 * and `PROM_Q_DRIFT` (also by their older names `PROM_QUERY_LAT`, `PROM_QUERY_ERR`).
 * @returns null when `PROM_URL` is not set.
 * @throws LukhasError CONFIG for credentials that contradict each other.
 */
export function prometheusFromEnv(env: Environment): { config: PrometheusConfig; auth: SourceAuth } | null {
  const url = env['PROM_URL']?.trim();
  if (!url) return null;
  const queries: Record<string, string> = {};
  for (const [name, variables] of Object.entries(QUERY_VARIABLES)) {
    const value = variables.map((variable) => env[variable]).find((text) => text !== undefined);
    if (value !== undefined) queries[name] = value;
  }
  return { config: { ...PROMETHEUS_DEFAULTS, url, queries }, auth: authFromEnv(env) };
}

function authFromEnv(env: Environment): SourceAuth {
  const [bearer, username, password, caFile] = ['PROM_BEARER', 'PROM_USERNAME', 'PROM_PASSWORD', 'PROM_CA_FILE'].map(
    (name) => env[name] || undefined,
  );
  if (bearer !== undefined && username !== undefined)
    throw new LukhasError('CONFIG', 'PROM_BEARER and PROM_USERNAME are both set: unset one of them');
  if ((username === undefined) !== (password === undefined))
    throw new LukhasError('CONFIG', 'PROM_USERNAME and PROM_PASSWORD belong together: set both or neither');
  return {
    ...(bearer === undefined ? {} : { bearer }),
    ...(username === undefined || password === undefined ? {} : { basic: { username, password } }),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

/**
 * The address of the query API under the configured base URL (a path prefix stays).
 * @throws LukhasError CONFIG for what is no such URL; the message repeats nothing of it that may be secret.
 */
export function queryEndpoint(url: string): URL {
  const text = url.trim();
  if (text === '')
    throw new LukhasError('CONFIG', 'the URL of Prometheus is empty: set PROM_URL, as in http://localhost:9090');
  const base = parseUrl(text, 'PROM_URL', 'CONFIG', PROMETHEUS_URL);
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/api/v1/query`;
  return base;
}

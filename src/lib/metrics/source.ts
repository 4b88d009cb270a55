import type { UrlRules } from '../input/index.js';
import type { Observation } from '../judge/index.js';
import type { Facts } from './inspect/index.js';
import { type ArmsConfig, BY_GATE, DEFAULT_SIGNALS, type Signals, type SignalsConfig } from './signals/index.js';

/**
 * Where measurements come from. One adapter a file beside this port.
 * A source never throws for what happens to the measured system (down, absent, NaN, stale): those are states in the
 * observation. It throws LukhasError only for what the user must change before anything can start (`check`).
 */
export interface MetricSource {
  /** What the log records: enough to open the same source again, and no secret. */
  readonly descriptor: SourceDescriptor;
  /** `clock`: read at each tick. `input`: the input sets the pace and its own times (NDJSON). */
  readonly pace: 'clock' | 'input';
  /** Refuses what cannot work: a PromQL syntax error (PROMQL), a bad URL (CONFIG), 401/403 (SOURCE_REFUSED). */
  check(): Promise<void>;
  /**
   * What is there for each arm, before anything is counted; refuses what `check` refuses. Left out where there is nothing to look at.
   */
  inspect?(request: InspectRequest): Promise<Facts>;
  /** One look. Never rejects for the state of the measured system; rejects with the signal's reason when aborted. */
  read(request: ReadRequest): Promise<Reading>;
  close(): Promise<void>;
}

/** Of a canary that is about to start. */
export interface InspectRequest
  extends Pick<ReadRequest, 'modelId' | 'canaryGate' | 'baselineGate' | 'windowSeconds' | 'withBaseline'> {
  /** What is looked for, placeholders filled in. */
  signals: Signals;
}

export interface ReadRequest {
  modelId: string;
  /** Gate the candidate serves in; stands for `$__gate`. */
  canaryGate: string;
  /** Gate it wants to enter, where the baseline serves. */
  baselineGate: string;
  /** Stands for `$__window`, seconds. */
  windowSeconds: number;
  /** When this look is due, ms since the epoch (ignored by `input` sources). */
  at: number;
  /** What the previous reading returned; null on the first look. Plain JSON: it is stored beside the observations. */
  cursor: unknown;
  /** Names of the scalars that the policy's custom objectives use. */
  scalars: readonly string[];
  withBaseline: boolean;
  signal?: AbortSignal;
}

export interface Reading {
  /** `tick` is set by the caller, unless the source's pace is `input`. */
  observation: Omit<Observation, 'tick'> & { tick?: number };
  /** Replaces the previous cursor; null keeps it. */
  cursor: unknown;
  /** `input` sources: nothing more will come. */
  ended?: boolean;
}

export type SourceDescriptor =
  | { kind: 'none' }
  | ({ kind: 'scrape' } & ScrapeConfig)
  | ({ kind: 'prometheus' } & PrometheusConfig)
  | { kind: 'ndjson'; input: string };

export interface ScrapeConfig {
  /**
   * Metrics pages of the canary. Each must always reach the same process; `dns+http://name:port/path` stands for the pages of
   * all addresses of the name.
   */
  canaryUrls: readonly string[];
  /** Pages that are the canary's too need arms that tell the series apart; null: no baseline. */
  baselineUrls: readonly string[] | null;
  arms: ArmsConfig;
  signals: SignalsConfig;
  /** For one page. */
  timeoutMs: number;
}

export interface PrometheusConfig {
  url: string;
  arms: ArmsConfig;
  signals: SignalsConfig;
  /** Expressions that give a scalar: PROM_Q_LAT, PROM_Q_ERR, PROM_Q_DRIFT as latency_p95_ms, error_rate, drift; others by name. */
  queries: Record<string, string>;
  timeoutMs: number;
  /** A newest sample older than this is stale. */
  staleSeconds: number;
}

/** Kept apart from the config so that it is never recorded; the values come from environment variables. */
export interface SourceAuth {
  bearer?: string;
  basic?: { username: string; password: string };
  /** Certificates (PEM) of the authority that signed the server's. */
  caFile?: string;
  /** Certificate (PEM) that this client shows, and its key. */
  certFile?: string;
  keyFile?: string;
  /** Further headers, as in X-Scope-OrgID. */
  headers?: Record<string, string>;
}

/** The keys of a source in lukhas.yaml that name its credentials. */
const CREDENTIAL_KEYS = 'bearerEnv, basic or headersEnv beside it';

/** A page that is read as it is. */
export const SCRAPE_URL: UrlRules = {
  example: 'http://127.0.0.1:9101/metrics',
  instead: `name the variables that hold them instead (${CREDENTIAL_KEYS}, in lukhas.yaml)`,
};

/** The http(s) form of a page's address, which may be written `dns+http://name:port/path`. */
export function pageUrl(url: string): string {
  return url.replace(/^dns\+(?=https?:)/i, '');
}

/** The base of the API of Prometheus. */
export const PROMETHEUS_URL: UrlRules = {
  example: 'http://localhost:9090',
  isBase: true,
  instead:
    'use PROM_BEARER, or PROM_USERNAME and PROM_PASSWORD, instead (in lukhas.yaml source.bearerEnv, source.basic)',
};

/** Longest wait for one answer of a source, milliseconds. */
export const SOURCE_TIMEOUT_MS = 4000;

/** What a Prometheus source has besides its address and queries when nothing else is configured. */
export const PROMETHEUS_DEFAULTS: Omit<PrometheusConfig, 'url' | 'queries'> = {
  arms: BY_GATE,
  signals: DEFAULT_SIGNALS,
  timeoutMs: SOURCE_TIMEOUT_MS,
  // Longer than the longest usual scrape interval, one minute: between two scrapes nothing is stale.
  staleSeconds: 90,
};

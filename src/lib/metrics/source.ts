import type { UrlRules } from '../input/index.js';
import type { Observation } from '../judge/index.js';

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
  /** One look. Never rejects for the state of the measured system; rejects with the signal's reason when aborted. */
  read(request: ReadRequest): Promise<Reading>;
  close(): Promise<void>;
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

/** Names of the metrics to read and the labels that tell the arms apart. */
export interface MetricNames {
  /** Histogram's base name, without `_bucket`. */
  latency: string;
  /** Unit of the latency histogram's bounds. */
  latencyUnit: 's' | 'ms';
  requests: string;
  /** Labels that make a request of `requests` count as all requests, e.g. {}. */
  requestLabels: Record<string, string>;
  errors: string;
  errorLabels: Record<string, string>;
  /**
   * What it means that no series of the requests counter has `errorLabels`: `zero`, nothing has failed yet, or `no_data`,
   * as the labels may be misspelt. Canaries recorded before this key existed lack it, which means `no_data`.
   */
  errorsAbsent: 'no_data' | 'zero';
  /** Histogram of model scores, for drift; null: none. */
  score: string | null;
  /** Gauge of requests being served; null: none. */
  inflight: string | null;
}

export const DEFAULT_METRICS: MetricNames = {
  latency: 'model_latency',
  latencyUnit: 's',
  requests: 'model_requests_total',
  requestLabels: {},
  errors: 'model_errors_total',
  errorLabels: {},
  errorsAbsent: 'no_data',
  score: 'model_score',
  inflight: 'model_inflight_requests',
};

export interface ScrapeConfig {
  canaryUrl: string;
  /** Same as canaryUrl when labels tell the arms apart; null: no baseline. */
  baselineUrl: string | null;
  canaryLabels: Record<string, string>;
  baselineLabels: Record<string, string>;
  metrics: MetricNames;
  timeoutMs: number;
}

export interface PrometheusConfig {
  url: string;
  /** Matchers common to all queries; values may hold $__gate and $__model. Default {gate: "$__gate"}. */
  labels: Record<string, string>;
  metrics: MetricNames;
  /** Expressions that give a scalar: PROM_Q_LAT, PROM_Q_ERR, PROM_Q_DRIFT as latency_p95_ms, error_rate, drift; others by name. */
  queries: Record<string, string>;
  timeoutMs: number;
  /** A newest sample older than this is stale. */
  staleSeconds: number;
}

/** Kept apart from the config so that it is never recorded. */
export interface PrometheusAuth {
  bearer?: string;
  basic?: { username: string; password: string };
  caFile?: string;
}

/** A page that is read as it is. */
export const SCRAPE_URL: UrlRules = {
  example: 'http://127.0.0.1:9101/metrics',
  instead: 'a page that wants them can be read through Prometheus instead',
};

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
  labels: { gate: '$__gate' },
  metrics: DEFAULT_METRICS,
  timeoutMs: SOURCE_TIMEOUT_MS,
  // Longer than the longest usual scrape interval, one minute: between two scrapes nothing is stale.
  staleSeconds: 90,
};

/**
 * What one tick of a canary measured: the unit that is recorded, judged, and replayed.
 * Counts are increments over `[from, t]`, never totals; a signal without data carries the state that
 * says why, never a number. `docs/observations.md` documents the NDJSON form.
 */
export interface Observation {
  v: 1;
  /** 0 is the first look, which only sets the counters' starting point; then 1, 2, ... */
  tick: number;
  /** When it was taken, milliseconds since the epoch. */
  t: number;
  /** Begin of the span that the increments cover, milliseconds since the epoch (equal to `t` on a first look). */
  from: number;
  canary: ArmReading;
  baseline?: ArmReading;
  /** Readings without counts: custom objectives and PROM_Q_* expressions, by name. */
  scalars?: Record<string, ScalarSignal>;
  /** Things a reader should know of this tick, in words (clock skew, renamed series, ...). */
  notes?: string[];
}

/** One arm (candidate or baseline). A signal left out was not asked for. */
export interface ArmReading {
  errors?: CountSignal;
  latency?: HistogramSignal;
  score?: HistogramSignal;
  /** Further histograms by the names that objectives use, e.g. `ttft` for `ttft_p95_ms`. Bounds of times are milliseconds. */
  histograms?: Record<string, HistogramSignal>;
  /** Increments by the value of a label, for drift where there is no histogram of scores. */
  categories?: CategorySignal;
  /**
   * How many places (pages, instances) should have answered at this look, and how many did; `unchanged` where some did not, and
   * nothing newer is known of any of them than at the look before.
   */
  targets?: { expected: number; up: number; unchanged?: true };
  /** Processes known to have started anew within the span. */
  restarts?: number;
  /**
   * What counters rose by and is in none of the signals above, because it is `implausible` that it is of this process and
   * of this look: nothing is evidence for or against, but nothing is certified that it could overturn.
   */
  leftOut?: LeftOut;
  /**
   * At `t`: what was counted and is in none of the signals yet, because later looks tell what it is. `bad` of it may turn out
   * to be; nothing is certified that it could overturn.
   */
  waiting?: LeftOut;
  /** Requests being served at `t` (a gauge), when the service tells. */
  inflight?: number;
  /** Counter resets seen within the span. */
  resets?: number;
}

/**
 * Why there is no number:
 * `first` starting point set, no increment yet; `unchanged` the source has nothing newer yet;
 * `absent` the source answers but has no such series; `stale` its newest sample is too old;
 * `unstable` whose counter it is is not clear: it fell without a restart, or two processes answer in turn;
 * `implausible` more than can have happened since the last look;
 * `invalid` NaN, negative, or not what was asked for; `unreachable` no answer; `refused` 401/403;
 * `no_source` none is configured; `ended` the input has no more.
 */
export const MISSING_STATES = [
  'first',
  'unchanged',
  'absent',
  'stale',
  'unstable',
  'implausible',
  'invalid',
  'unreachable',
  'refused',
  'no_source',
  'ended',
] as const;
export type MissingState = (typeof MISSING_STATES)[number];

export interface Missing {
  state: MissingState;
  detail?: string;
}

/** `bad` of `total` requests. */
export interface Counts {
  state: 'ok';
  bad: number;
  total: number;
}

/**
 * A histogram's increments, not cumulative over buckets: `counts[i]` fell in `(bounds[i-1], bounds[i]]`,
 * the last one above the last bound (`counts.length === bounds.length + 1`). Latency bounds are milliseconds.
 */
export interface Histogram {
  state: 'ok';
  bounds: number[];
  counts: number[];
}

export interface Scalar {
  state: 'ok';
  value: number;
}

/** Increments that are not counted. */
export interface LeftOut {
  errors?: { bad: number; total: number };
  /** By the names of histograms, `latency` among them. */
  histograms?: Record<string, { bounds: number[]; counts: number[] }>;
}

/** Increments by category; a category that is not there has none. */
export interface Categories {
  state: 'ok';
  counts: Record<string, number>;
}

export type CategorySignal = Categories | Missing;
export type CountSignal = Counts | Missing;
export type HistogramSignal = Histogram | Missing;
export type ScalarSignal = Scalar | Missing;

import type { Matcher, Selector } from '../promql/index.js';

/** Unit of what a histogram observes; `1`: a plain number. */
export const UNITS = ['s', 'ms', 'us', 'ns', '1'] as const;
export type Unit = (typeof UNITS)[number];

/**
 * What is counted, as it is recorded: selectors and sums of them in PromQL's own syntax, so that a reader can paste them
 * into Prometheus. Defaults and presets are filled in.
 */
export interface SignalsConfig {
  /** Name of the preset it was made from; null: none. */
  preset: string | null;
  /** A counter expression, e.g. `ok_total + failed_total`; null: not measured. */
  requests: string | null;
  errors: ErrorsConfig | null;
  /** Of every other histogram: its name as objectives use it (`ttft` for `ttft_p95_ms < 800`). `latency` is one of them. */
  histograms: Record<string, HistogramConfig>;
  drift: DriftConfig | null;
  /** Selector of a gauge: requests being served. */
  inflight: string | null;
}

export interface ErrorsConfig {
  /** A counter expression, e.g. `requests_total{code=~"5.."}` or `requests_total - good_total`. */
  count: string;
  /** What it means that no such series exists. Where errors are a selection of the requests' own series it is zero by logic, whatever this says. */
  absent: 'no_data' | 'zero';
}

export interface HistogramConfig {
  /** Selector whose name is the histogram's base name, without `_bucket`. */
  histogram: string;
  /** Of its bounds. */
  unit: Unit;
}

/** A distribution that is compared with the baseline's: that of a histogram, or of the values of a label. */
export type DriftConfig = { histogram: string } | { counts: string; by: string };

/** How the series of an arm are told from all others: a selector without a name, e.g. `{version="v2"}`; `{}`: all. May hold $__gate and $__model. */
export interface ArmsConfig {
  canary: string;
  baseline: string;
}

/** `SignalsConfig`, taken apart. */
export interface Signals {
  requests: CounterExpression | null;
  errors:
    | (CounterExpression & {
        absent: 'no_data' | 'zero' /** Whether every term selects among the series of `requests`. */;
        among: boolean;
      })
    | null;
  histograms: Record<string, HistogramSource>;
  drift:
    | { kind: 'histogram'; histogram: HistogramSource }
    | { kind: 'categories'; counts: Selector; by: string }
    | null;
  inflight: Selector | null;
}

/** A sum and difference of counters. The first sign is always 1. */
export interface CounterExpression {
  text: string;
  terms: readonly { sign: 1 | -1; selector: Selector }[];
}

export interface HistogramSource {
  /** Base name. */
  name: string;
  matchers: readonly Matcher[];
  unit: Unit;
  /** Multiplies bounds: to milliseconds for units of time, 1 for plain numbers. */
  scale: number;
}

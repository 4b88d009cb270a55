/**
 * A policy with every default filled in: what the judge reads and what the log records.
 * `parsePolicy` (policy-schema.ts) makes one from JSON or YAML. Times are seconds, rates are in (0, 1).
 */
export interface Policy {
  version: 1;
  name?: string;
  /** Length of the window after which the canary may be promoted. */
  windowSeconds: number;
  /** Seconds between two looks. */
  intervalSeconds: number;
  targets: Targets;
  /** Chance of being wrong: rolling back a healthy canary, promoting one that misses a target. */
  alpha: { rollback: number; promote: number };
  /** `end`: promote at the end of the window only. `early`: as soon as the evidence certifies every objective. */
  promote: 'end' | 'early';
  onInconclusive: 'block' | 'extend' | 'promote';
  /** Latest end of the window; equals windowSeconds unless `onInconclusive: extend`. */
  maxWindowSeconds: number;
  /** What to do when no objective has had data for `noDataSeconds`; `hold` waits for the end of the window. */
  onNoData: 'block' | 'hold' | 'rollback';
  noDataSeconds: number;
  /**
   * What to do when the canary has not answered once for `noDataSeconds`, or until the end of the window, while its baseline
   * answers; since judge 3, and `block` in policies that were recorded before it.
   */
  onNeverAnswered?: 'block' | 'rollback';
  /** Share of the window, 0..1, that readings must cover before anything is promoted. */
  minCoverage: number;
  /** `auto`: compare with the baseline when it is there; `required`: no promotion without it; `none`: never look. */
  baseline: 'auto' | 'required' | 'none';
  /** Canary's rate may be at most this many times the baseline's. */
  relative: { max_error_ratio?: number; max_slow_ratio?: number };
  designEffect: {
    /** Most requests that share one fate (a batch, a retry storm). */
    batchSize: number;
    /** Also estimate the design effect from past ticks. */
    estimate: boolean;
  };
  /**
   * Seconds after the start whose looks are recorded, and not judged; the window begins after them. This key and those
   * marked "since judge 2" are absent in policies recorded before them, which stay judged as they were.
   */
  warmupSeconds?: number;
  /** Restarts of the canary's processes with which it may be promoted; since judge 2. */
  maxRestarts?: number;
  /** Consecutive failing readings that roll back, for objectives without counts. */
  maxConsecutiveFailures: number;
  /** Share of a window's readings, 0..1, that may fail where it is promoted; since judge 2. */
  maxFailures?: number;
  /** Share of a window's readings, 0..1, that may be missing where it is promoted; since judge 2. */
  maxMissing?: number;
  /** Names of objectives that are shown and decide nothing; since judge 2. */
  reportOnly?: string[];
  /** Objectives over named scalars. */
  objectives: CustomObjective[];
  /** People who must agree before anything is promoted; left out: nobody is asked. The judge does not look at it. */
  approvals?: ApprovalRule;
}

export interface ApprovalRule {
  /** How many different people. */
  required: number;
  /** Whose approval does not count: that of whoever asked for the promotion, or nobody's. */
  not: 'requester' | 'nobody';
  /** Time from the decision to the last approval and its being carried out, e.g. `24h`. */
  expiresAfter: string;
}

export interface Targets {
  /** At most 5% of requests may be slower than this, milliseconds. */
  latency_p95_ms?: number;
  latency_p99_ms?: number;
  latency_p50_ms?: number;
  max_error_rate?: number;
  /** Population stability index of the score distribution against the baseline. */
  max_drift?: number;
  /** Share of looks, 0..1, at which the canary may be silent though it is expected to answer; since judge 2. */
  max_unavailable?: number;
}

export interface CustomObjective {
  /** Name of the scalar. */
  name: string;
  op: '<' | '<=' | '>' | '>=';
  value: number;
}

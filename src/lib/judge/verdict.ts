import type { CustomObjective } from './policy.js';
import type { JudgeVersion } from './version.js';

export type Decision = 'continue' | 'promote' | 'rollback' | 'block';

/**
 * `certified`: the evidence meets the promised error. `uncertified`: decided on readings without counts, or by
 * `onInconclusive: promote`. `undecided`: the evidence does not suffice either way.
 */
export type Certainty = 'certified' | 'uncertified' | 'undecided';

export type Reason =
  | 'watching'
  | 'not_attributable'
  | 'certified_at_end'
  | 'certified_early'
  | 'met_without_certificate'
  | 'evidence_against'
  | 'failing_readings'
  | 'inconclusive'
  | 'coverage'
  | 'unstable_counters'
  | 'unavailable'
  | 'restarts'
  | 'no_bucket'
  | 'no_baseline'
  | 'no_data'
  | 'source_unreachable'
  | 'no_source';

/** Everything an explanation shows. Numbers are rounded to 12 significant digits; times are ms since the epoch. */
export interface Verdict {
  judge: JudgeVersion;
  decision: Decision;
  certainty: Certainty;
  reason: Reason;
  /** The objective that decided, when one did. */
  decidedBy: string | null;
  tick: number;
  at: number;
  /** Begin of the window: the start, or the end of the warm-up. */
  startedAt: number;
  /** Seconds from there to this verdict; 0 while it warms up. */
  elapsedSeconds: number;
  /** Seconds of the window that were left when it was decided. */
  savedSeconds: number;
  alpha: { rollback: number; promote: number };
  /** The bet against the canary over all objectives: rolled back when logE >= logThreshold. */
  evidence: { logE: number; logThreshold: number; path: EvidencePoint[] };
  objectives: ObjectiveReport[];
  ticks: { looked: number; withData: number; planned: number; gaps: number; resets: number };
  /** Share of the window covered by readings, 0..1, the least covered objective. */
  coverage: number;
  noData: NoData | null;
  assumptions: string[];
  /** What was silent when, and how often processes began anew; left out by judge 1. */
  silence?: SilenceReport;
  /** How long the warm-up is, and how many looks were taken in it and not judged; left out where the policy has none. */
  warmup?: { seconds: number; looked: number };
}

export interface SilenceReport {
  /** Looks at places that did not answer though they were expected to; null where the policy has no limit. */
  availability: {
    /** Largest share of them, 0..1. */
    limit: number;
    /** Looks times places, without those in which the baseline did not answer either. */
    expected: number;
    down: number;
    share: number | null;
    /** Of `down`, those while the baseline answered. */
    whileBaselineAnswered: number;
    exceeded: boolean;
    reportOnly?: true;
  } | null;
  /** `resets`: looks in which counters began anew, where nothing tells of processes. */
  restarts: { canary: number; baseline: number; allowed: number | null; from: 'processes' | 'resets' };
  /** No request at the end, though some were to be expected: since when, of how many; null: none such. */
  idle: { objective: string; since: number; seconds: number; expected: number } | null;
  spans: SilentSpan[];
  /** Spans that are not listed. */
  more: number;
}

/** A time in which an arm did not answer, had no requests, or began anew; ms since the epoch. */
export interface SilentSpan {
  arm: 'canary' | 'baseline';
  kind: 'unanswered' | 'idle' | 'restart';
  from: number;
  to: number;
  checks: number;
  /** The state and its details, in words. */
  why: string;
}

export interface NoData {
  since: number;
  seconds: number;
  /** True when no objective has data; false when some have. */
  total: boolean;
  /** Why, by signal. */
  states: Record<string, string>;
}

export interface EvidencePoint {
  tick: number;
  logE: number;
}

export interface Bounds {
  lower: number;
  upper: number;
}

export type ObjectiveReport = (RateReport | DriftReport | ReadingReport) & {
  /** The policy only has it shown: it decides nothing. Left out otherwise. */
  reportOnly?: true;
};

/** Objectives judged by counts: errors, slow requests, and their ratios to the baseline. */
export interface RateReport {
  type: 'rate';
  name: string;
  signal: 'errors' | 'latency';
  /** A histogram of another thing than the duration of requests, by its name; left out for those. `1`: a plain number. `strict`: the limit itself fails. */
  histogram?: { name: string; unit: 'ms' | '1'; strict?: true };
  /** What the policy says: a rate, a limit in milliseconds or the histogram's unit, or a ratio. */
  target: number;
  /** The boundary of the rate under test. */
  p0: number;
  relative: boolean;
  hasData: boolean;
  missing: string | null;
  bad: number;
  total: number;
  rate: number | null;
  /** Confidence sequence of the rate, valid at every look, each side at its alpha. */
  bounds: Bounds | null;
  rollback: { logE: number; against: boolean };
  promote: { method: 'clopper-pearson' | 'e-process'; certified: boolean; upper: number | null; logE: number };
  design: { effect: number; from: 'none' | 'declared' | 'baseline' | 'canary' };
  baseline: { bad: number; total: number; rate: number | null; ratio: number | null; logE: number } | null;
  attributable: 'yes' | 'no' | 'unknown';
  /** Latency only: bounds of the buckets that stand in for the limit, and the p95 shown with its bucket. */
  latency: LatencyReport | null;
  /** Look at which the regression most likely began, and what was counted from it on. */
  onset: { tick: number; at: number; bad: number; total: number } | null;
  needed: { requests: number; seconds: number | null } | null;
  /** Requests that were not counted, as it is implausible that they are of this process; whether they could overturn the certificate. */
  leftOut?: { bad: number; total: number; overturns: boolean };
  /** Requests that were not counted yet at the newest look, and how many of them may be bad. */
  waiting?: { bad: number; total: number; overturns: boolean };
  path: EvidencePoint[];
}

export interface LatencyReport {
  quantile: number;
  /** Bucket bounds (ms) that the two counts use; `null` = above every bound, or below every bound. */
  surelyAbove: number | null;
  possiblyAbove: number | null;
  exact: boolean;
  value: number | null;
  /** Null above every bound; `lower` is null below all of them, where values may be negative. */
  bucket: { lower: number | null; upper: number } | null;
  /** Requests in flight for longer than a tick, not yet in the histogram. */
  hung: number;
}

export interface DriftReport {
  type: 'drift';
  name: string;
  target: number;
  hasData: boolean;
  missing: string | null;
  canaryTotal: number;
  baselineTotal: number;
  bins: number;
  /** What the bins are where they are not those of a histogram of scores: the values of a label. */
  by?: 'categories';
  /** PSI with half-count smoothing, before and after removing its null bias. */
  raw: number | null;
  value: number | null;
  bounds: Bounds | null;
  rollback: { logE: number; against: boolean };
  promote: { method: 'normal' | 'asymptotic-cs'; certified: boolean; upper: number | null };
  design: { effect: number; from: 'none' | 'declared' | 'baseline' | 'canary' };
  path: EvidencePoint[];
}

/** Objectives over scalars: judged reading by reading, without a promised error. */
export interface ReadingReport {
  type: 'reading';
  name: string;
  rule: CustomObjective;
  hasData: boolean;
  missing: string | null;
  last: number | null;
  readings: number;
  /** Ticks of the window without a reading. */
  missed: number;
  failing: number;
  consecutiveFailing: number;
  limit: number;
  /** Largest shares of readings, 0..1, that may fail and be missing; left out by judge 1: any may fail, none may be missing. */
  allowed?: { failing: number; missing: number };
  met: boolean;
  against: boolean;
}

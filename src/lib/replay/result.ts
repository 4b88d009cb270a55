import type { Decision, Observation, Policy, Verdict } from '../judge/index.js';

/**
 * What another policy would have decided on what was recorded. `insufficient`: the records cannot tell (a metric that was
 * never recorded, a window longer than the records, observations pruned); no value is invented.
 */
export type Outcome = Exclude<Decision, 'continue'> | 'insufficient';

/** One canary under its own policy and under the other. Times are ms since the epoch. */
export interface CanaryReplay {
  canaryId: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  startedAt: number;
  original: Side;
  counterfactual: Side;
  /** Whether the two outcomes differ; null when one of them is insufficient. */
  flips: boolean | null;
  /** First tick at which the rulings differ, with both full reports at that tick; null when they never do. */
  divergence: { tick: number; at: number; original: Verdict; counterfactual: Verdict } | null;
  /** What the other policy would have changed; null when it is not known. */
  difference: Difference | null;
  /** Hex sha256 of the recorded lines that were replayed, and how many. */
  observations: { count: number; digest: string; verified: boolean };
}

/** What a judgement of a time that was never watched rests on. */
export interface PastRead {
  source: 'prometheus';
  looks: number;
  intervalSeconds: number;
  /** Usual time between two samples of a series, seconds; null without two samples. */
  spacingSeconds: number | null;
  series: number;
  samples: number;
  selectors: string[];
  expressions: string[];
  /** What a reader should know of it, in words. */
  notes: string[];
}

export interface Side {
  policy: Policy;
  policyDigest: string;
  outcome: Outcome;
  /** Why it is insufficient, in words; null otherwise. */
  lacking: string | null;
  verdict: Verdict | null;
  /** A human decision that overrode or ended it (original side only). */
  overridden: string | null;
}

export interface Difference {
  /** Counterfactual minus original, seconds: negative is earlier. */
  seconds: number;
  /** Requests served by the canary between the two moments, and how many of them were bad (failed). */
  requests: number | null;
  badRequests: number | null;
}

/** A whole replay: what the report shows and `--json` prints. Deterministic: no clock, no paths, no host in it. */
export interface ReplayResult {
  judge: number;
  /** Window asked for, RFC 3339; null when single canaries or an input were named. */
  from: string | null;
  to: string | null;
  modelId: string | null;
  policyName: string;
  /** Differences between the policies, by key as one types it. */
  policyDiff: { path: string; original: unknown; counterfactual: unknown }[];
  /** Log the replay was verified against; null for an input that was no log. */
  log: { size: number; root: string } | null;
  /** What was read of a source for a time that was never watched; null for a log or an input. */
  read: PastRead | null;
  canaries: CanaryReplay[];
  totals: {
    original: Record<Outcome, number>;
    counterfactual: Record<Outcome, number>;
    flips: number;
    insufficient: number;
  };
  sweep: Sweep | null;
}

export interface Sweep {
  axes: { path: string; values: number[] }[];
  /** One cell a combination, in row-major order of the axes. */
  cells: { values: number[]; outcomes: Record<Outcome, number>; flips: number }[];
  /** Values where the verdict of a single canary changes, bisected to the recorded precision. */
  flipPoints: { path: string; below: number; above: number; from: Outcome; to: Outcome }[];
}

/** What a chart of one canary needs beside the result. */
export interface CanarySeries {
  canaryId: string;
  observations: readonly Observation[];
}

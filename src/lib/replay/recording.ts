import type { Policy, Verdict } from '../judge/index.js';

/** What was recorded of one canary, as plain data: all that a replay reads. Times are ms since the epoch. */
export interface Recording {
  canaryId: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  startedAt: number;
  /** The policy it was judged under; null when the records do not say. */
  own: Policy | null;
  /** Its verdict as the log has it, and the observations to which the log commits; null when it was never decided. */
  decided: { verdict: Verdict; count: number; digest: string } | null;
  /** The entry which says that just the observations of the verdict were deleted by retention; left out: none does. */
  pruned?: { seq: number; ts: string };
  /** Why there is no recorded verdict, in words; null when there is one, or when the replay makes it. */
  undecided: string | null;
  /** A human decision that overrode or ended it, in words. */
  overridden: string | null;
  /**
   * False: no canary ran under `own`, so its signals need not have been asked for: what is missing altogether is missing under
   * it too.
   */
  askedByOwn?: boolean;
  /** Recorded observations as canonical JSON, one a line without its end, in order of tick. */
  lines(): AsyncIterable<string>;
}

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
  /** Why there is no verdict of its own, in words; null when there is one, or when it is to be found by replay. */
  undecided: string | null;
  /** A human decision that overrode or ended it, in words. */
  overridden: string | null;
  /**
   * False: nobody watched under `own`, so that what it asks for need not have been asked for; what is missing altogether
   * is then missing under it too.
   */
  askedByOwn?: boolean;
  /** Recorded observations as canonical JSON, one a line without its end, in order of tick. */
  lines(): AsyncIterable<string>;
}

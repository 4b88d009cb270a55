import type { ArmReading, HistogramSignal, Observation } from '../observation.js';
import { exceedCounts } from '../quantile.js';
import type { LatencyReport } from '../verdict.js';

/** One arm's increments at one tick, as a rate objective counts them. */
export interface ArmCounts {
  bad: number;
  possiblyBad: number;
  total: number;
  buckets: Pick<LatencyReport, 'surelyAbove' | 'possiblyAbove' | 'exact'> | null;
}

export function countErrors(arm: ArmReading): ArmCounts | null {
  if (arm.errors?.state !== 'ok') return null;
  // The two counters are read one after the other: errors of requests not yet counted must not make a rate above 1.
  const bad = Math.min(arm.errors.bad, arm.errors.total);
  return { bad, possiblyBad: bad, total: arm.errors.total, buckets: null };
}

/** Slow requests by the bucket bounds around the limit: never interpolated. */
export function countSlow(latency: HistogramSignal | undefined, limitMs: number, strict = false): ArmCounts | null {
  if (latency?.state !== 'ok') return null;
  const above = exceedCounts(latency.bounds, latency.counts, limitMs, strict);
  return {
    bad: above.surely,
    possiblyBad: above.possibly,
    total: above.total,
    buckets: { surelyAbove: above.surelyBound, possiblyAbove: above.possiblyBound, exact: above.exact },
  };
}

/** What two looks at one arm have together. */
export function bothLooks(a: ArmCounts, b: ArmCounts): ArmCounts {
  return {
    bad: a.bad + b.bad,
    possiblyBad: a.possiblyBad + b.possiblyBad,
    total: a.total + b.total,
    buckets: b.buckets ?? a.buckets,
  };
}

/** Whether two histograms have the same buckets. */
export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Adds a tick's increments to the counts so far (changes `counts`; empty before the first tick). */
export function addCounts(counts: number[], increments: readonly number[]): void {
  for (let i = 0; i < increments.length; i++) counts[i] = (counts[i] ?? 0) + increments[i]!;
}

/** Requests that have been in flight for longer than a tick: slow already, though no histogram has them yet. */
export interface HungRequests {
  previousInflight: number | null;
  /** How many are counted as slow now and have not shown up in the histogram. */
  counted: number;
}

export function hungRequests(): HungRequests {
  return { previousInflight: null, counted: 0 };
}

/**
 * Change in the number of hung requests at this tick: to be added to both the slow and the total count. Of those in
 * flight at the previous look, all that were not completed since have waited for the whole tick. Negative when they
 * complete, since the histogram counts them then.
 */
export function stepHung(hung: HungRequests, observation: Observation, counts: ArmCounts, limitMs: number): number {
  const previous = hung.previousInflight;
  hung.previousInflight = observation.canary.inflight ?? null;
  if (previous === null || hung.previousInflight === null || observation.t - observation.from < limitMs) return 0;
  const waiting = Math.min(hung.previousInflight, Math.max(0, previous - counts.total));
  const change = Math.max(waiting - hung.counted, -counts.bad);
  hung.counted += change;
  return change;
}

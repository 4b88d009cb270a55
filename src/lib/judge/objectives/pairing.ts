import type { Missing } from '../observation.js';
import type { ArmCounts } from './counts.js';

/** Counts of one arm that wait for the other's. */
export interface Waiting {
  canary: ArmCounts | null;
  baseline: ArmCounts | null;
}

export const nothingWaits = (): Waiting => ({ canary: null, baseline: null });

/** What a look has of one arm. */
export interface Found {
  counts: ArmCounts | null;
  /** Why there are none. */
  missing: Missing;
}

/**
 * What a look brings of both arms. A source may have samples of one at some looks and of the other at others (Prometheus
 * scrapes them at different times): then the baseline's counts wait for the canary's, and for a ratio the canary's for the
 * baseline's too.
 * @param isRatio whether nothing can be said without the baseline
 * @returns what counts now, or why nothing does; and what waits for later looks
 */
export function pair(
  waiting: Waiting,
  canary: Found,
  baseline: Found,
  isRatio: boolean,
): ({ counts: ArmCounts; base: ArmCounts | null } | { missing: Missing }) & { waiting: Waiting } {
  const isUnchanged = ({ counts, missing }: Found): boolean => counts === null && missing.state === 'unchanged';
  if (!canary.counts && !isUnchanged(canary)) return { missing: canary.missing, waiting };
  if (isRatio && canary.counts && !baseline.counts && !isUnchanged(baseline))
    return { missing: baseline.missing, waiting };
  const all = { canary: both(waiting.canary, canary.counts), baseline: both(waiting.baseline, baseline.counts) };
  if (all.canary && (all.baseline || !isRatio))
    return { counts: all.canary, base: all.baseline, waiting: nothingWaits() };
  const missing: Missing = { state: 'unchanged', detail: 'the baseline has nothing newer' };
  return { missing: canary.counts ? missing : canary.missing, waiting: all };
}

function both(a: ArmCounts | null, b: ArmCounts | null): ArmCounts | null {
  if (!a || !b) return a ?? b;
  return {
    bad: a.bad + b.bad,
    possiblyBad: a.possiblyBad + b.possiblyBad,
    total: a.total + b.total,
    buckets: b.buckets ?? a.buckets,
  };
}

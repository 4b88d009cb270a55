import type { Missing } from '../observation.js';

/** Counts of one arm that wait for the other's. */
export interface Waiting<T> {
  canary: T | null;
  baseline: T | null;
}

export const nothingWaits = <T>(): Waiting<T> => ({ canary: null, baseline: null });

/** What a look has of one arm. */
export interface Found<T> {
  counts: T | null;
  /** Why there are none, where there are none. */
  missing: Missing;
}

/**
 * What a look brings of both arms. A source may have samples of one at some looks and of the other at others (Prometheus
 * scrapes them at different times): then the baseline's counts wait for the canary's, and for a ratio the canary's for the
 * baseline's too.
 * @param isRatio whether nothing can be said without the baseline
 * @param add what two looks of one arm have together
 * @returns what counts now, or why nothing does; and what waits for later looks
 */
export function pair<T>(
  waiting: Waiting<T>,
  canary: Found<T>,
  baseline: Found<T>,
  isRatio: boolean,
  add: (a: T, b: T) => T,
): ({ counts: T; base: T | null } | { missing: Missing }) & { waiting: Waiting<T> } {
  const isUnchanged = ({ counts, missing }: Found<T>): boolean => counts === null && missing.state === 'unchanged';
  const both = (a: T | null, b: T | null): T | null => (a === null || b === null ? (a ?? b) : add(a, b));
  if (canary.counts === null && !isUnchanged(canary)) return { missing: canary.missing, waiting };
  if (isRatio && canary.counts !== null && baseline.counts === null && !isUnchanged(baseline))
    return { missing: baseline.missing, waiting };
  const all = { canary: both(waiting.canary, canary.counts), baseline: both(waiting.baseline, baseline.counts) };
  if (all.canary !== null && (all.baseline !== null || !isRatio))
    return { counts: all.canary, base: all.baseline, waiting: nothingWaits() };
  const missing: Missing = { state: 'unchanged', detail: 'the baseline has nothing newer' };
  return { missing: canary.counts === null ? canary.missing : missing, waiting: all };
}

import { bisect, logBetaInc } from './special.js';

/**
 * Exact one-sided binomial bounds (Clopper & Pearson 1934), for a single look at an end fixed in advance. Counts may be
 * fractions (divided by a design effect): the binomial tail goes on smoothly as an incomplete beta function.
 */

/** Largest rate not rejected at `alpha` by `k` bad of `n` or fewer, rounded up; 1 for no requests. */
export function clopperPearsonUpper(k: number, n: number, alpha: number): number {
  if (n <= 0 || k >= n) return 1;
  return bisect(0, 1, (p) => !certifiesAtMost(k, n, p, alpha)).hi;
}

/** Smallest rate not rejected at `alpha` by `k` bad of `n` or more, rounded down; 0 for no requests. */
export function clopperPearsonLower(k: number, n: number, alpha: number): number {
  if (n <= 0 || k <= 0) return 0;
  const bad = Math.min(k, n);
  const level = Math.log(alpha);
  return bisect(0, 1, (p) => logBetaInc(bad, n - bad + 1, p).lower <= level).lo;
}

/** True when `k` bad of `n` certify "rate <= p0": P(at most k bad of n | p0) <= alpha. */
export function certifiesAtMost(k: number, n: number, p0: number, alpha: number): boolean {
  if (p0 >= 1) return true;
  if (n <= 0 || k >= n) return false;
  return logBetaInc(k + 1, n - k, p0).upper <= Math.log(alpha);
}

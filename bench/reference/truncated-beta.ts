import { logBetaInc, logBetaKernel } from '../../src/lib/judge/special.js';

/**
 * Log e-value of k bad of n requests against "rate <= p0" (dir 1) or "rate >= p0" (dir -1): likelihood ratio of a
 * Beta(a, b) prior cut to the side of p0 that is bet on (the one-sided beta-binomial mixture of Howard et al. 2021).
 * An alternative to the grid of bets the judge uses; an oracle for it.
 */
export function truncatedBetaLogE(k: number, n: number, p0: number, a: number, b: number, dir: 1 | -1): number {
  const [posterior, prior] = [logBetaInc(a + k, b + n - k, p0), logBetaInc(a, b, p0)];
  const mass = dir === 1 ? posterior.upper - prior.upper : posterior.lower - prior.lower;
  // Kernels at p0 instead of log beta functions: those are a million times the result for large counts.
  return logBetaKernel(a, b, p0) - logBetaKernel(a + k, b + n - k, p0) + mass;
}

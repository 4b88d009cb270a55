import { bisect, logBetaKernel } from '../../src/lib/judge/special.js';

/** Log e-value of k bad of n requests against "rate = p0", with a Beta(a, b) prior on the alternative (Robbins 1970). */
export function betaBinomialLogE(k: number, n: number, p0: number, a: number, b: number): number {
  return logBetaKernel(a, b, p0) - logBetaKernel(a + k, b + n - k, p0);
}

/** Two-sided confidence sequence from it: all rates whose e-value stays below 1/alpha; alpha covers both sides. */
export function betaBinomialConfidenceSequence(
  k: number,
  n: number,
  alpha: number,
  a: number,
  b: number,
): { lower: number; upper: number } {
  const threshold = -Math.log(alpha);
  const rejected = (p: number) => betaBinomialLogE(k, n, p, a, b) >= threshold;
  const rate = n === 0 ? 0.5 : k / n;
  return {
    lower: k <= 0 ? 0 : bisect(0, rate, rejected).lo,
    upper: k >= n ? 1 : bisect(rate, 1, (p) => !rejected(p)).hi,
  };
}

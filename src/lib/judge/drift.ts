/**
 * Drift of a score distribution: population stability index with its null bias removed, and an asymptotic
 * confidence sequence for its bound (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory").
 */

export interface PsiEstimate {
  /** PSI with half a count added to each bin. */
  raw: number;
  /** `raw` less its expectation without drift, (B-1)(1/n_c + 1/n_b); may be negative. */
  value: number;
  /** Delta-method variance per request of each arm, and the standard error of `raw` from both. */
  varCanary: number;
  varBaseline: number;
  se: number;
}

/**
 * PSI of two histograms over the same B bins (counts, not shares).
 * @returns null when either arm has no counts, or with fewer than two bins: there is nothing to compare
 * @throws RangeError when the histograms have different numbers of bins
 */
export function psi(canary: readonly number[], baseline: readonly number[]): PsiEstimate | null {
  const bins = canary.length;
  if (baseline.length !== bins) throw new RangeError(`psi: ${bins} bins against ${baseline.length}`);
  const [nCanary, nBaseline] = [total(canary), total(baseline)];
  if (bins < 2 || nCanary <= 0 || nBaseline <= 0) return null;
  const [smoothCanary, smoothBaseline] = [nCanary + bins / 2, nBaseline + bins / 2];
  const p = shares(canary, smoothCanary);
  const q = shares(baseline, smoothBaseline);
  let raw = 0;
  const gradientCanary: number[] = [];
  const gradientBaseline: number[] = [];
  for (let i = 0; i < bins; i++) {
    const [a, b] = [p[i]!, q[i]!];
    const logRatio = Math.log(a / b);
    raw += (a - b) * logRatio;
    gradientCanary.push(logRatio + 1 - b / a);
    gradientBaseline.push(1 - logRatio - a / b);
  }
  const varCanary = variance(p, gradientCanary);
  const varBaseline = variance(q, gradientBaseline);
  return {
    raw,
    value: raw - (bins - 1) * (1 / nCanary + 1 / nBaseline),
    varCanary,
    varBaseline,
    se: Math.sqrt(varCanary / smoothCanary + varBaseline / smoothBaseline),
  };
}

/**
 * `value` of `psi` over the bins that either arm has hit, to the bit, without its variances: most looks need no more.
 * @param bins how many those are, at least 2, with `nCanary` and `nBaseline` counts in them
 */
export function psiValue(
  canary: readonly number[],
  baseline: readonly number[],
  bins: number,
  nCanary: number,
  nBaseline: number,
): number {
  const [smoothCanary, smoothBaseline] = [nCanary + bins / 2, nBaseline + bins / 2];
  let raw = 0;
  for (let i = 0; i < canary.length; i++) {
    if (canary[i]! + baseline[i]! <= 0) continue;
    const a = (canary[i]! + 0.5) / smoothCanary;
    const b = (baseline[i]! + 0.5) / smoothBaseline;
    raw += (a - b) * Math.log(a / b);
  }
  return raw - (bins - 1) * (1 / nCanary + 1 / nBaseline);
}

function total(counts: readonly number[]): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

function shares(counts: readonly number[], smoothTotal: number): number[] {
  const list: number[] = [];
  for (const count of counts) list.push((count + 0.5) / smoothTotal);
  return list;
}

/** Variance of `values` under the bin shares. */
function variance(shares: readonly number[], values: readonly number[]): number {
  let mean = 0;
  for (let i = 0; i < shares.length; i++) mean += shares[i]! * values[i]!;
  let sum = 0;
  for (let i = 0; i < shares.length; i++) sum += shares[i]! * (values[i]! - mean) ** 2;
  return sum;
}

/** Mixture variance that makes the confidence sequence tightest at sample size `tOpt` (two-sided error `alpha`). */
export function rho2(alpha: number, tOpt: number): number {
  const logs = -2 * Math.log(alpha);
  return (logs + Math.log(logs + 1)) / tOpt;
}

/**
 * Radius of the asymptotic confidence sequence of a mean after `t` samples of standard deviation `sd`, tightest at `tOpt`.
 * @returns the radius in the units of `sd`; Infinity while t is 0
 */
export function asymptoticRadius(t: number, sd: number, alpha: number, tOpt: number, oneSided: boolean): number {
  if (t <= 0) return Number.POSITIVE_INFINITY;
  const r = rho2(alpha, tOpt);
  const root = Math.sqrt(t * r + 1);
  const crossing = oneSided ? Math.log1p(root / (2 * alpha)) : Math.log(root / alpha);
  return sd * Math.sqrt(((2 * (t * r + 1)) / (t * t * r)) * crossing);
}

/**
 * Log of the (asymptotic) e-value against "mean <= boundary" whose inversion is the one-sided `asymptoticRadius`:
 * it reaches ln(1/alpha) exactly when estimate - radius >= boundary, for `rho2 = rho2(alpha, tOpt)`.
 * @returns -Infinity (an e-value of 0) when the estimate does not exceed the boundary, or without data (`t` or `sd` of 0)
 */
export function driftLogE(t: number, sd: number, estimate: number, boundary: number, rho2: number): number {
  if (!(estimate > boundary) || t <= 0 || sd <= 0) return Number.NEGATIVE_INFINITY;
  const spread = t * rho2 + 1;
  const distance = (t * (estimate - boundary)) / sd;
  const x = (rho2 * distance * distance) / (2 * spread);
  // ln 2 + ln(e^x - 1) - ln(spread)/2; for large x without overflow.
  const logExpm1 = x > 1 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x));
  return Math.LN2 + logExpm1 - 0.5 * Math.log(spread);
}

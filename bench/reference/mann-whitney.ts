import { normalCdf, normalQuantile } from '../../src/lib/judge/special.js';

/** Mann-Whitney U test and the classification that Kayenta's judge makes of it, as a peer to measure against. */

export type Alternative = 'two-sided' | 'greater' | 'less';

interface RankSum {
  /** Pairs in which x exceeds y, ties counted half. */
  u: number;
  /** u less its mean without a difference, and its standard deviation with ties allowed for. */
  centred: number;
  sd: number;
}

/** U of `x` against `y`. Throws nothing; `sd` is 0 when all values are tied. */
export function rankSum(x: readonly number[], y: readonly number[]): RankSum {
  const [m, n] = [x.length, y.length];
  const all = [...x.map((value) => ({ value, own: 1 })), ...y.map((value) => ({ value, own: 0 }))];
  all.sort((a, b) => a.value - b.value);
  let [ranks, ties] = [0, 0];
  for (let i = 0; i < all.length; ) {
    let end = i;
    let own = 0;
    while (end < all.length && all[end]!.value === all[i]!.value) own += all[end++]!.own;
    const size = end - i;
    ranks += own * ((i + 1 + end) / 2);
    ties += size ** 3 - size;
    i = end;
  }
  const u = ranks - (m * (m + 1)) / 2;
  const total = m + n;
  const sd = Math.sqrt(((m * n) / 12) * (total + 1 - ties / (total * (total - 1))));
  return { u, centred: u - (m * n) / 2, sd };
}

/** P-value by the normal approximation; half a step of continuity correction when `corrected`. */
export function mannWhitneyP(
  x: readonly number[],
  y: readonly number[],
  alternative: Alternative,
  corrected: boolean,
): number {
  const { centred, sd } = rankSum(x, y);
  const step = corrected ? 0.5 : 0;
  if (alternative === 'greater') return normalCdf(-(centred - step) / sd);
  if (alternative === 'less') return normalCdf((centred + step) / sd);
  return Math.min(1, 2 * normalCdf(-(Math.abs(centred) - step) / sd));
}

/** Exact p-value, without ties: counts the arrangements of ranks by their U. */
export function mannWhitneyExactP(x: readonly number[], y: readonly number[], alternative: Alternative): number {
  const { u } = rankSum(x, y);
  const counts = arrangements(x.length, y.length);
  const total = counts.reduce((a, b) => a + b, 0);
  const share = (from: number, to: number) => counts.slice(from, to).reduce((a, b) => a + b, 0) / total;
  const [greater, less] = [share(u, counts.length), share(0, u + 1)];
  if (alternative === 'greater') return greater;
  return alternative === 'less' ? less : Math.min(1, 2 * Math.min(greater, less));
}

/** Arrangements of m ranks among m + n by U: the Gaussian binomial coefficient, built factor by factor. */
function arrangements(m: number, n: number): number[] {
  const counts = new Array<number>(m * n + 1).fill(0);
  counts[0] = 1;
  for (let i = 1; i <= m; i++) {
    for (let s = m * n; s >= n + i; s--) counts[s]! -= counts[s - n - i]!;
    for (let s = i; s <= m * n; s++) counts[s]! += counts[s - i]!;
  }
  return counts;
}

/** Hodges-Lehmann estimate of the shift: the median of all differences x - y. */
export function hodgesLehmann(x: readonly number[], y: readonly number[]): number {
  const differences = x.flatMap((a) => y.map((b) => a - b)).sort((a, b) => a - b);
  const middle = differences.length / 2;
  return (differences[Math.ceil(middle) - 1]! + differences[Math.floor(middle)]!) / 2;
}

/**
 * Kayenta's statistic: z of the experiment moved down by `shift`, corrected towards 0
 * (kayenta-mannwhitney, MannWhitney.scala, after R's wilcox.test).
 */
export function kayentaZ(experiment: readonly number[], control: readonly number[], shift: number): number {
  const { centred, sd } = rankSum(
    experiment.map((value) => value - shift),
    control,
  );
  return (centred - 0.5 * Math.sign(centred)) / sd;
}

/**
 * Kayenta's verdict on one metric: High (Low) when the confidence interval of the shift lies above (below)
 * +-tolerance * |Hodges-Lehmann estimate|. The interval's end lies above a bound exactly when z at that bound exceeds the
 * quantile, so no root is searched for. Defaults: those of NetflixACAJudge.
 */
export function kayentaClassify(
  experiment: readonly number[],
  control: readonly number[],
  { tolerance = 0.25, confidence = 0.98 }: { tolerance?: number; confidence?: number } = {},
): 'Nodata' | 'Pass' | 'High' | 'Low' {
  if (experiment.length === 0 || control.length === 0) return 'Nodata';
  if (new Set([...experiment, ...control]).size === 1) return 'Pass';
  const bound = tolerance * Math.abs(hodgesLehmann(experiment, control));
  const quantile = normalQuantile(1 - (1 - confidence) / 2);
  if (kayentaZ(experiment, control, bound) > quantile) return 'High';
  return kayentaZ(experiment, control, -bound) < -quantile ? 'Low' : 'Pass';
}

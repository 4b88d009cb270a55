import { bisect } from './special.js';

/**
 * Evidence about the rate of bad events against a boundary p0: a mixture of betting likelihood ratios over a grid of
 * log odds. It is an e-process: under the hypothesis it bets against it reaches 1/alpha with probability at most alpha,
 * however often one looks (Ville's inequality; Waudby-Smith & Ramdas, JRSS-B 2024; Howard et al., Ann. Stat. 2021).
 */

/** 1: bet against "rate <= p0" (roll back). -1: bet against "rate >= p0" (certify the target). */
export type Direction = 1 | -1;

/** Log odds ratios of the bets, l_j = 0.03 * 140^(j/23). Literals (shortest form of the doubles nearest to 50-digit values), so that every engine judges with the same grid. */
export const LN_PSI: readonly number[] = [
  0.03, 0.03719042739363601, 0.046104262990710396, 0.057154574843103836, 0.07085343553055296, 0.08783565165628998,
  0.10888818084986525, 0.13498659946406735, 0.16734031088274076, 0.20744858939710162, 0.25717005672950394,
  0.31880881075386236, 0.39522119762643204, 0.4899481751583897, 0.6073794011624184, 0.7529566506440347,
  0.9334259882110777, 1.1571503813965676, 1.4344972414282422, 1.7783188501236065, 2.204547935941876, 2.732935998247882,
  3.3879685938097337, 4.2,
];

/** Natural logs of the weights of the bets, w_j proportional to l_j^(1/4), summing to 1. */
export const LN_W: readonly number[] = [
  -3.8639478991509724, -3.810234394557393, -3.7565208899638134, -3.7028073853702343, -3.649093880776655,
  -3.5953803761830754, -3.541666871589496, -3.4879533669959164, -3.4342398624023374, -3.380526357808758,
  -3.3268128532151784, -3.273099348621599, -3.2193858440280194, -3.1656723394344404, -3.111958834840861,
  -3.0582453302472814, -3.004531825653702, -2.950818321060123, -2.8971048164665434, -2.843391311872964,
  -2.7896778072793844, -2.735964302685805, -2.682250798092226, -2.6285372934986464,
];

const EXPM1_UP = LN_PSI.map((l) => Math.expm1(l));
const EXPM1_DOWN = LN_PSI.map((l) => Math.expm1(-l));

/**
 * Log likelihood ratio of the bet `j` for `k` bad of `n` requests: +-k*l_j - n*ln(1 + p0*(e^(+-l_j) - 1)).
 * Linear in k and n, so ticks with the same p0 may be summed before or after.
 */
export function logLikelihoodRatio(j: number, dir: Direction, k: number, n: number, p0: number): number {
  const expm1 = (dir === 1 ? EXPM1_UP : EXPM1_DOWN)[j]!;
  return dir * k * LN_PSI[j]! - n * Math.log1p(p0 * expm1);
}

/** Boundaries come back at every tick, and the logarithms are most of a tick's cost. */
const MOST_REMEMBERED = 64;
const remembered = new Map<number, readonly number[]>();

/** What one request costs each bet against "rate <= p0": ln(1 + p0*(e^l_j - 1)). */
export function requestCosts(p0: number): readonly number[] {
  const known = remembered.get(p0);
  if (known) return known;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const costs = EXPM1_UP.map((expm1) => Math.log1p(p0 * expm1));
  remembered.set(p0, costs);
  return costs;
}

/** A summand smaller than another of the sum by exp(38), which is more than 2^54, leaves the sum as it is, to the bit. */
const NEGLIGIBLE = 38;

/** ln of the mixture over the grid of bets whose wealth is exp(logWealth[j]). */
export function logMixture(logWealth: readonly number[]): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < LN_W.length; j++) {
    const log = logWealth[j]! + LN_W[j]!;
    if (log > max) max = log;
  }
  if (!Number.isFinite(max)) return max;
  let sum = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < LN_W.length; j++) {
    const log = logWealth[j]! + LN_W[j]! - max;
    if (log < highest - NEGLIGIBLE) continue;
    if (log > highest) highest = log;
    sum += Math.exp(log);
  }
  return max + Math.log(sum);
}

/**
 * Log e-value of `k` bad of `n` requests against the boundary `p0`.
 * @param dir 1 tests "rate <= p0", -1 tests "rate >= p0"; reject at ln(1/alpha)
 * @param D design effect (>= 1): the most requests that share one fate; it divides the log-likelihood
 */
export function logE(dir: Direction, k: number, n: number, p0: number, D = 1): number {
  return logMixture(LN_PSI.map((_, j) => logLikelihoodRatio(j, dir, k, n, p0) / D));
}

/**
 * Bounds of the rate that hold at all looks together: the boundaries at which `logE` crosses ln(1/alpha), rounded
 * outwards. Each side has the error `alpha` of its own (the two-sided interval 2*alpha). No requests: 0 to 1.
 */
export function confidenceSequence(k: number, n: number, alpha: number, D = 1): { lower: number; upper: number } {
  if (n <= 0) return { lower: 0, upper: 1 };
  const threshold = -Math.log(alpha);
  const tooLow = (p: number) => logE(1, k, n, p, D) >= threshold;
  const tooHigh = (p: number) => logE(-1, k, n, p, D) >= threshold;
  const lower = tooLow(1) ? 1 : tooLow(0) ? bisect(0, 1, tooLow).lo : 0;
  const upper = tooHigh(0) ? 0 : tooHigh(1) ? bisect(0, 1, (p) => !tooHigh(p)).hi : 1;
  return { lower, upper };
}

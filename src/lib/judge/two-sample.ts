import { type Direction, LN_PSI, logLikelihoodRatio, logMixture } from './rate-evidence.js';

/**
 * Canary against baseline, rate_c <= ratio * rate_b: of the bad events of both arms, those of the canary are at most the
 * share q in expectation. Holds though the rates vary over time, as long as they vary for both (Lindon & Malek 2022).
 */

/**
 * The canary's largest share of all bad events when its rate is `ratio` times the baseline's:
 * n_c*ratio / (n_c*ratio + n_b). It is 1 when either arm had no requests: such a tick compares nothing, and a
 * boundary of 1 makes it neutral in `stepMixture` and `stepTwoSample` alike.
 */
export function nullShare(nCanary: number, nBaseline: number, ratio: number): number {
  if (nCanary <= 0 || nBaseline <= 0) return 1;
  const weighted = nCanary * ratio;
  return weighted / (weighted + nBaseline);
}

/** Log wealth of each bet of the grid. Plain JSON. */
export interface TwoSampleState {
  dir: Direction;
  logWealth: number[];
}

/**
 * The state before the first tick.
 * @param dir 1 bets against "rate_c <= ratio * rate_b", -1 against "rate_c >= ratio * rate_b"
 */
export function twoSample(dir: Direction): TwoSampleState {
  return { dir, logWealth: LN_PSI.map(() => 0) };
}

/**
 * Takes one tick in (changes `state`): `kc` bad of `nc` requests of the canary, `kb` of `nb` of the baseline.
 * @param ratio the boundary: the canary's rate may be at most this many times the baseline's
 * @param D design effect of this tick, >= 1
 */
export function stepTwoSample(
  state: TwoSampleState,
  kc: number,
  nc: number,
  kb: number,
  nb: number,
  ratio: number,
  D = 1,
): void {
  const q = nullShare(nc, nb, ratio);
  if (q >= 1) return;
  const { dir, logWealth } = state;
  for (let j = 0; j < logWealth.length; j++) logWealth[j]! += logLikelihoodRatio(j, dir, kc, kc + kb, q) / D;
}

/** Log e-value of everything taken in so far; 0 before the first tick. */
export function twoSampleLogE(state: TwoSampleState): number {
  return logMixture(state.logWealth);
}

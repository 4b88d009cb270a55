import { LN_PSI, logMixture, requestCosts } from './rate-evidence.js';
import { logAddExp } from './special.js';

/**
 * Evidence for rollback that also finds regressions beginning late: a mixture of e-processes that start betting at
 * different ticks (Shin, Ramdas & Rinaldo, "E-detectors"). Half the weight starts with the first tick, the rest evenly
 * at the later ticks of the window; weight not yet spent keeps its value 1, so the sum is still one e-process.
 * Plain JSON: it can be stored and read back between ticks.
 */
export interface StartMixture {
  /** Ticks planned; later ones have no weight left to start with. */
  ticks: number;
  /** Weight on the first tick. */
  w0: number;
  /** Ticks seen. */
  tick: number;
  /** Weight in play, 0..1. */
  spent: number;
  /** Log wealth of each bet of the grid, over all starts so far. */
  logS: number[];
  /** Log likelihood ratio of the best suffix for each bet, and the tick (from 1) that suffix begins with. */
  suffix: number[];
  since: number[];
}

/**
 * @param ticks ticks of the longest window, >= 1; with a single one all weight is on it
 * @param w0 weight on the first tick, in (0, 1]
 */
export function startMixture(ticks: number, w0 = 0.5): StartMixture {
  const first = ticks > 1 ? w0 : 1;
  const each = (value: number): number[] => LN_PSI.map(() => value);
  return { ticks, w0: first, tick: 0, spent: first, logS: each(Math.log(first)), suffix: each(0), since: each(0) };
}

/**
 * Takes one tick in (changes `state`): `k` bad of `n` requests against the boundary `p0` of this tick.
 * A boundary of 1 or more cannot be exceeded, so the bet is not placed.
 * @param D design effect of this tick, >= 1
 */
export function stepMixture(state: StartMixture, k: number, n: number, p0: number, D = 1): void {
  state.tick += 1;
  if (state.tick > 1 && state.tick <= state.ticks) startAnother(state);
  const { logS, suffix, since, tick } = state;
  const costs = p0 >= 1 ? NO_COSTS : requestCosts(p0);
  const bad = p0 >= 1 ? 0 : k;
  for (let j = 0; j < logS.length; j++) {
    const ratio = (bad * LN_PSI[j]! - n * costs[j]!) / D;
    logS[j]! += ratio;
    // Page's recursion: the best suffix either goes on or begins anew with this tick.
    const best = suffix[j]!;
    if (best > 0) suffix[j] = best + ratio;
    else {
      suffix[j] = ratio;
      since[j] = tick;
    }
  }
}

/** Of a bet that is not placed. */
const NO_COSTS: readonly number[] = LN_PSI.map(() => 0);

function startAnother(state: StartMixture): void {
  const weight = Math.log((1 - state.w0) / (state.ticks - 1));
  const { logS } = state;
  for (let j = 0; j < logS.length; j++) logS[j] = logAddExp(logS[j]!, weight);
  state.spent = state.tick === state.ticks ? 1 : state.w0 + ((1 - state.w0) * (state.tick - 1)) / (state.ticks - 1);
}

/** Log e-value of everything taken in so far; 0 before the first tick. */
export function mixtureLogE(state: StartMixture): number {
  return logAddExp(logMixture(state.logS), Math.log(1 - state.spent));
}

/**
 * Tick (from 1) at which the regression most likely began: the start of the suffix of ticks with the largest likelihood
 * ratio over all bets; null while no suffix speaks against the canary.
 */
export function mixtureOnset(state: StartMixture): number | null {
  const bet = onsetBet(state);
  return bet === null ? null : state.since[bet]!;
}

/** Index of the bet whose suffix that is; null while no suffix speaks against the canary. */
export function onsetBet({ suffix }: StartMixture): number | null {
  let best = 0;
  for (let j = 1; j < suffix.length; j++) if (suffix[j]! > suffix[best]!) best = j;
  return suffix[best]! > 0 ? best : null;
}

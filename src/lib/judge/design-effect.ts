/**
 * Running estimate of the design effect: how much more the rate varies from tick to tick than independent requests would
 * make it. From squared differences of successive ticks, which a slow trend hardly moves. Plain JSON, O(1) a tick.
 */
export interface DesignEffect {
  /** Bad and all requests so far, pooled. */
  k: number;
  n: number;
  /** The last tick that had requests: its rate and size (size 0: none yet). */
  lastRate: number;
  lastN: number;
  /** Scaled squared differences: how many, the largest, and the sum of all others. */
  terms: number;
  largest: number;
  rest: number;
}

/** Before any data one assumes that requests come in twos, as firmly as four ticks would say it. */
const PRIOR_EFFECT = 2;
const PRIOR_TICKS = 4;

/** The state before the first tick. */
export function designEffect(): DesignEffect {
  return { k: 0, n: 0, lastRate: 0, lastN: 0, terms: 0, largest: 0, rest: 0 };
}

/**
 * Takes one tick in (changes `state`); a tick without requests changes nothing. Step only after the tick was judged:
 * the e-process needs an estimate made from past ticks alone.
 */
export function stepDesignEffect(state: DesignEffect, k: number, n: number): void {
  if (n <= 0) return;
  const rate = k / n;
  if (state.lastN > 0) {
    const difference = rate - state.lastRate;
    addTerm(state, (difference * difference) / (1 / n + 1 / state.lastN));
  }
  state.k += k;
  state.n += n;
  state.lastRate = rate;
  state.lastN = n;
}

function addTerm(state: DesignEffect, term: number): void {
  state.terms += 1;
  state.rest += Math.min(term, state.largest);
  state.largest = Math.max(term, state.largest);
}

/**
 * The estimate, >= 1: the mean of the terms over their expectation p(1-p) for independent requests (p pooled, smoothed),
 * shrunk towards 2. The largest term is left out, so that one shift of the level does not count as correlation.
 */
export function estimateDesignEffect(state: DesignEffect): number {
  const used = Math.max(0, state.terms - 1);
  const rate = Math.min(state.k + 0.5, state.n + 0.5) / (state.n + 1);
  const sum = used === 0 ? 0 : state.rest / (rate * (1 - rate));
  return Math.max(1, (PRIOR_TICKS * PRIOR_EFFECT + sum) / (PRIOR_TICKS + used));
}

import { poisson, type Random } from './random.js';

/** Requests of one arm as running totals: index s holds those of the first s seconds. */
export interface Traffic {
  bad: Float64Array;
  total: Float64Array;
}

/** How an arm behaves. */
export interface Arm {
  /** Requests a second. */
  rps: number;
  /** Share of bad requests in the given second (from 0). */
  rate(second: number): number;
  /** Requests that share one fate; 1: independent. */
  batch: number;
}

/**
 * Poisson arrivals whose fates are independent between batches. Bad and good batches are then two independent Poisson
 * processes, so both counts of a second are drawn directly: exact, at a cost that does not grow with the rate.
 */
export function drawTraffic({ rps, rate, batch }: Arm, seconds: number, random: Random): Traffic {
  const bad = new Float64Array(seconds + 1);
  const total = new Float64Array(seconds + 1);
  for (let s = 0; s < seconds; s++) {
    const share = rate(s);
    const badNow = batch * poisson((rps * share) / batch)(random);
    const goodNow = batch * poisson((rps * (1 - share)) / batch)(random);
    bad[s + 1] = bad[s]! + badNow;
    total[s + 1] = total[s]! + badNow + goodNow;
  }
  return { bad, total };
}

/** Requests of the span from `from` to `to`, seconds since the start; what lies before the start has none. */
export function between({ bad, total }: Traffic, from: number, to: number): { bad: number; total: number } {
  const begin = Math.max(0, from);
  return { bad: bad[to]! - bad[begin]!, total: total[to]! - total[begin]! };
}

/** Share of bad requests in a span; NaN without requests, as PromQL's 0 / 0. */
export function shareBad(traffic: Traffic, from: number, to: number): number {
  const span = between(traffic, from, to);
  return span.bad / span.total;
}

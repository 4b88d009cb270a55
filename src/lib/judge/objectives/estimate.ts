import { psi, psiValue } from '../drift.js';
import type { Policy } from '../policy.js';

/** Requests per bin, in each arm, below which the normal approximation is not used at all. */
const LEAST_PER_BIN = 5;

/** Scores of both arms by bin. */
export interface Sums {
  canary: number[];
  baseline: number[];
  /** Whether they are of categories, of which rare ones are taken together. */
  categorical: boolean;
}

export interface Estimate {
  value: number;
  raw: number;
  /** Standard error of the whole estimate. */
  se: number;
  bins: number;
}

/** The value of an estimate does not depend on how far requests are from independent. */
const ONE_BY_ONE = { designEffect: { batchSize: 1, estimate: false } };

/** The value of `estimate` alone, which is all that most looks need. */
export function pointEstimate(o: Sums): number | null {
  const [canary, baseline] = o.categorical ? pooled(o) : [o.canary, o.baseline];
  let [bins, nCanary, nBaseline] = [0, 0, 0];
  for (let i = 0; i < canary.length; i++) {
    if (canary[i]! + baseline[i]! <= 0) continue;
    bins++;
    nCanary += canary[i]!;
    nBaseline += baseline[i]!;
  }
  if (o.categorical && bins === 1) return estimate(o, ONE_BY_ONE)?.value ?? null;
  if (bins < 2 || Math.min(nCanary, nBaseline) < LEAST_PER_BIN * bins) return null;
  return psiValue(canary, baseline, bins, nCanary, nBaseline);
}

/**
 * Categories with few counts of both arms together as one. A label may have any number of values, and the bias that is
 * taken off for each would hide a drift of the others.
 */
function pooled({ canary, baseline }: Sums): [number[], number[]] {
  const [ofCanary, ofBaseline]: [number[], number[]] = [[0], [0]];
  for (let i = 0; i < canary.length; i++) {
    const [a, b] = [canary[i]!, baseline[i]!];
    if (a + b < 2 * LEAST_PER_BIN) {
      ofCanary[0] = ofCanary[0]! + a;
      ofBaseline[0] = ofBaseline[0]! + b;
    } else {
      ofCanary.push(a);
      ofBaseline.push(b);
    }
  }
  return [ofCanary, ofBaseline];
}

/** Null while there are too few scores for the approximation. */
export function estimate(o: Sums, { designEffect: { batchSize } }: Pick<Policy, 'designEffect'>): Estimate | null {
  // A bin that neither arm has ever hit says nothing, and would only inflate the bias that is taken off.
  const canary: number[] = [];
  const baseline: number[] = [];
  const [ofCanary, ofBaseline] = o.categorical ? pooled(o) : [o.canary, o.baseline];
  for (let i = 0; i < ofCanary.length; i++) {
    if (ofCanary[i]! + ofBaseline[i]! <= 0) continue;
    canary.push(ofCanary[i]!);
    baseline.push(ofBaseline[i]!);
  }
  // All requests of both in one category: that there was no other is what is compared. A single bin of scores says nothing.
  if (o.categorical && canary.length === 1) {
    canary.push(0);
    baseline.push(0);
  }
  const nCanary = total(canary);
  const nBaseline = total(baseline);
  const bins = canary.length;
  if (bins < 2 || Math.min(nCanary, nBaseline) < LEAST_PER_BIN * bins) return null;
  const p = psi(canary, baseline);
  if (!p) return null;
  // The delta method's sigma vanishes where the arms agree; there PSI is a scaled chi-square with this variance.
  const nullVariance = 2 * (bins - 1) * (1 / nCanary + 1 / nBaseline) ** 2;
  return {
    value: p.value,
    raw: p.raw,
    se: Math.sqrt((p.se ** 2 + nullVariance) * batchSize),
    bins,
  };
}

export function total(counts: readonly number[]): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

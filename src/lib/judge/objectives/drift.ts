import { type Coverage, coverage, noteData, noteMissing } from '../coverage.js';
import { asymptoticRadius, driftLogE, psi, psiValue, rho2 } from '../drift.js';
import { type EvidencePath, evidencePath, extendPath } from '../evidence-path.js';
import type { CategorySignal, HistogramSignal, Missing, Observation } from '../observation.js';
import type { Policy } from '../policy.js';
import { logSumExp, normalQuantile } from '../special.js';
import { addCounts, sameBounds } from './counts.js';
import { promotionMethod } from './rate-certificate.js';

/** Requests per bin, in each arm, below which the normal approximation is not used at all. */
const LEAST_PER_BIN = 5;

/** Scores of both arms, summed from one look on. */
interface Span {
  /** The look, counted from 1, with which it begins. */
  begins: number;
  canary: number[];
  baseline: number[];
  ticks: number;
  /** Whether the sums are of categories, of which rare ones are taken together. */
  categorical: boolean;
  /** PSI after the newest tick: null while there are too few scores. */
  value: number | null;
  /** Log e-value against the objective over this span, after the newest tick; 0 before it begins. */
  spanLogE: number;
  /** Tick of the span for which the confidence sequence is tightest: its middle. */
  bestTick: number;
}

/**
 * Score distribution of the canary against the baseline's, summed over all looks; `later` are sums that begin later, so
 * that good scores in the beginning do not hide bad ones afterwards.
 */
export interface DriftObjective extends Span {
  type: 'drift';
  name: string;
  target: number;
  coverage: Coverage;
  bounds: number[] | null;
  /** Values of the label, in the order in which they came, where categories are compared and not scores; null: scores are. */
  labels: string[] | null;
  /** Looks with data so far. */
  looks: number;
  later: Span[];
  /** Log e-value against the objective after the newest tick: the mean over all spans. */
  logE: number;
  path: EvidencePath;
}

/** How many later spans there are, evenly over the window; half of the bet is on the whole, the rest on these. */
const LATER_SPANS = 4;
const WHOLE_WEIGHT = 0.5;

export function driftObjective(target: number, plannedTicks: number): DriftObjective {
  const starts = Array.from(
    { length: LATER_SPANS },
    (_, i) => Math.floor(((i + 1) * plannedTicks) / (LATER_SPANS + 1)) + 1,
  );
  return {
    ...span(1, plannedTicks),
    type: 'drift',
    name: 'drift',
    target,
    coverage: coverage(),
    bounds: null,
    labels: null,
    looks: 0,
    later: [...new Set(starts)].filter((begins) => begins > 1).map((begins) => span(begins, plannedTicks)),
    logE: 0,
    path: evidencePath(),
  };
}

function span(begins: number, plannedTicks: number): Span {
  const bestTick = Math.max(1, (plannedTicks - begins + 1) / 2);
  return { begins, canary: [], baseline: [], ticks: 0, categorical: false, value: null, spanLogE: 0, bestTick };
}

export function stepDrift(o: DriftObjective, observation: Observation, policy: Policy): void {
  // Scores tell more than categories do; which of the two there is stays as it was at the first look with data.
  if (o.labels !== null || (o.bounds === null && isByCategory(observation))) stepCategories(o, observation, policy);
  else stepScores(o, observation, policy);
}

function isByCategory({ canary, baseline }: Observation): boolean {
  const has = (name: 'score' | 'categories') => canary[name] !== undefined || baseline?.[name] !== undefined;
  return has('categories') && !has('score');
}

/** Each value of the label is a bin; one that only the canary has counts as any other. */
function stepCategories(o: DriftObjective, observation: Observation, policy: Policy): void {
  const canary = observation.canary.categories;
  const baseline = observation.baseline?.categories;
  const missing = missingOf(canary, 'canary', 'categories') ?? missingOf(baseline, 'baseline', 'categories');
  if (missing || canary?.state !== 'ok' || baseline?.state !== 'ok') {
    noteMissing(o.coverage, observation, missing ?? { state: 'absent' });
    return;
  }
  if (o.labels === null) for (const each of [o, ...o.later]) each.categorical = true;
  o.labels ??= [];
  const known = new Set(o.labels);
  const seen = [...Object.keys(canary.counts), ...Object.keys(baseline.counts)].filter((label) => !known.has(label));
  // Sums do not depend on the order in which an observation lists its labels.
  o.labels.push(...[...new Set(seen)].sort());
  const inOrder = (counts: Record<string, number>) =>
    o.labels!.map((label) => (Object.hasOwn(counts, label) ? (counts[label] ?? 0) : 0));
  take(o, observation, inOrder(canary.counts), inOrder(baseline.counts), policy);
}

function stepScores(o: DriftObjective, observation: Observation, policy: Policy): void {
  const canary = observation.canary.score;
  const baseline = observation.baseline?.score;
  const missing = missingOf(canary, 'canary', 'score histogram') ?? missingOf(baseline, 'baseline', 'score histogram');
  if (missing || canary?.state !== 'ok' || baseline?.state !== 'ok') {
    noteMissing(o.coverage, observation, missing ?? { state: 'absent' });
    return;
  }
  o.bounds ??= canary.bounds;
  if (!sameBounds(o.bounds, canary.bounds) || !sameBounds(o.bounds, baseline.bounds)) {
    noteMissing(o.coverage, observation, {
      state: 'invalid',
      detail: 'score buckets changed or differ between the arms',
    });
    return;
  }
  take(o, observation, canary.counts, baseline.counts, policy);
}

function take(
  o: DriftObjective,
  observation: Observation,
  canary: readonly number[],
  baseline: readonly number[],
  policy: Policy,
): void {
  noteData(o.coverage, observation, total(canary), policy);
  o.looks++;
  for (const each of [o, ...o.later]) if (each.begins <= o.looks) stepSpan(each, canary, baseline, o.target, policy);
  o.logE = meanLogE(o);
  extendPath(o.path, observation.tick, o.logE);
}

function missingOf(signal: HistogramSignal | CategorySignal | undefined, arm: string, what: string): Missing | null {
  if (!signal) return { state: 'absent', detail: `${arm} has no ${what}` };
  if (signal.state === 'ok') return null;
  return { state: signal.state, detail: signal.detail ? `${arm}: ${signal.detail}` : arm };
}

interface Estimate {
  value: number;
  raw: number;
  /** Standard error of the whole estimate. */
  se: number;
  bins: number;
}

/** The value of an estimate does not depend on how far requests are from independent. */
const ONE_BY_ONE = { designEffect: { batchSize: 1, estimate: false } };

/** The value of `estimate` alone, which is all that most looks need. */
function pointEstimate(o: Span): number | null {
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
function pooled({ canary, baseline }: Span): [number[], number[]] {
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
export function estimate(o: Span, { designEffect: { batchSize } }: Pick<Policy, 'designEffect'>): Estimate | null {
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

/** The confidence sequence runs over ticks: t looks, each with the standard deviation that gives this error after t. */
function stepSpan(
  o: Span,
  canary: readonly number[],
  baseline: readonly number[],
  target: number,
  policy: Policy,
): void {
  addCounts(o.canary, canary);
  addCounts(o.baseline, baseline);
  o.ticks++;
  o.value = pointEstimate(o);
  if (o.value === null) return;
  // An estimate that meets the target is no evidence against it, however uncertain it is.
  const e = o.value > target ? estimate(o, policy) : null;
  if (e === null) {
    o.spanLogE = Number.NEGATIVE_INFINITY;
    return;
  }
  const sd = e.se * Math.sqrt(o.ticks);
  o.spanLogE = driftLogE(o.ticks, sd, e.value, target, rho2(policy.alpha.rollback, o.bestTick));
}

/** A mean of e-values that begin at looks fixed beforehand is one itself; those not begun count as 1. */
function meanLogE(o: DriftObjective): number {
  if (o.later.length === 0) return o.spanLogE;
  const each = Math.log((1 - WHOLE_WEIGHT) / o.later.length);
  return logSumExp([Math.log(WHOLE_WEIGHT) + o.spanLogE, ...o.later.map((late) => each + late.spanLogE)]);
}

export function driftLogEvidence(o: DriftObjective): number {
  return o.coverage.hasData ? o.logE : 0;
}

export function upperBound(o: DriftObjective, e: Estimate, policy: Policy): number {
  const alpha = policy.alpha.promote;
  if (promotionMethod(policy) === 'clopper-pearson') return e.value + normalQuantile(1 - alpha) * e.se;
  return e.value + asymptoticRadius(o.ticks, e.se * Math.sqrt(o.ticks), alpha, o.bestTick, true);
}

export function driftCertified(o: DriftObjective, policy: Policy): boolean {
  const e = estimate(o, policy);
  if (e === null || upperBound(o, e, policy) > o.target) return false;
  const z = normalQuantile(1 - policy.alpha.promote);
  return o.later.every((span) => {
    const late = estimate(span, policy);
    return late === null || late.value - z * late.se <= o.target;
  });
}

export function driftPointMeets(o: DriftObjective): boolean {
  return o.value !== null && o.value <= o.target;
}

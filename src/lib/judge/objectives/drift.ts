import { type Coverage, coverage, noteData, noteMissing } from '../coverage.js';
import { asymptoticRadius, driftLogE, rho2 } from '../drift.js';
import { type EvidencePath, evidencePath, extendPath } from '../evidence-path.js';
import type { Categories, Histogram, Missing, Observation } from '../observation.js';
import type { Policy } from '../policy.js';
import { logSumExp, normalQuantile } from '../special.js';
import { judgeVersionOf } from '../version.js';
import { addCounts, sameBounds } from './counts.js';
import { type Estimate, estimate, pointEstimate, type Sums, total } from './estimate.js';
import { type Found, nothingWaits, pair, type Waiting } from './pairing.js';
import { promotionMethod } from './rate-certificate.js';

/** Scores of both arms, summed from one look on. */
interface Span extends Sums {
  /** The look, counted from 1, with which it begins. */
  begins: number;
  ticks: number;
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
  /** Counts of one arm that wait for the other's. */
  waiting: Waiting<readonly number[]>;
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
    waiting: nothingWaits(),
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
  const canary = foundIn(observation.canary.categories, 'canary', 'categories');
  const baseline = foundIn(observation.baseline?.categories, 'baseline', 'categories');
  if (lacks(o, observation, canary, baseline, policy)) return;
  if (o.labels === null) for (const each of [o, ...o.later]) each.categorical = true;
  o.labels ??= [];
  const known = new Set(o.labels);
  const all = [canary, baseline].flatMap(({ counts }) => Object.keys(counts?.counts ?? {}));
  // Sums do not depend on the order in which an observation lists its labels.
  o.labels.push(...[...new Set(all.filter((label) => !known.has(label)))].sort());
  const inOrder = ({ counts }: Categories) =>
    o.labels!.map((label) => (Object.hasOwn(counts, label) ? (counts[label] ?? 0) : 0));
  takePaired(o, observation, binned(canary, inOrder), binned(baseline, inOrder), policy);
}

function stepScores(o: DriftObjective, observation: Observation, policy: Policy): void {
  const canary = foundIn(observation.canary.score, 'canary', 'score histogram');
  const baseline = foundIn(observation.baseline?.score, 'baseline', 'score histogram');
  if (lacks(o, observation, canary, baseline, policy)) return;
  for (const { counts } of [canary, baseline]) {
    if (counts === null) continue;
    o.bounds ??= counts.bounds;
    if (sameBounds(o.bounds, counts.bounds)) continue;
    const detail = 'score buckets changed or differ between the arms';
    noteMissing(o.coverage, observation, { state: 'invalid', detail });
    return;
  }
  const inOrder = ({ counts }: Histogram) => counts;
  takePaired(o, observation, binned(canary, inOrder), binned(baseline, inOrder), policy);
}

function foundIn<T extends { state: 'ok' }>(signal: T | Missing | undefined, arm: string, what: string): Found<T> {
  if (signal?.state === 'ok') return { counts: signal, missing: { state: 'first' } };
  if (!signal) return { counts: null, missing: { state: 'absent', detail: `${arm} has no ${what}` } };
  const { state, detail } = signal;
  return { counts: null, missing: { state, detail: detail ? `${arm}: ${detail}` : arm } };
}

function binned<T>({ counts, missing }: Found<T>, inOrder: (counts: T) => readonly number[]): Found<readonly number[]> {
  return { counts: counts && inOrder(counts), missing };
}

/** Whether a look has nothing of both arms; then it says why. Judge 1 did not wait for the other arm. */
function lacks(
  o: DriftObjective,
  observation: Observation,
  canary: Found<unknown>,
  baseline: Found<unknown>,
  policy: Policy,
): boolean {
  const is1 = judgeVersionOf(policy) === 1;
  if (canary.counts && baseline.counts) return false;
  if (!is1 && (canary.counts || baseline.counts)) return false;
  noteMissing(o.coverage, observation, canary.counts ? baseline.missing : canary.missing);
  return true;
}

/** Scores of one arm wait where the other has nothing newer: a source may read the two at different moments. */
function takePaired(
  o: DriftObjective,
  observation: Observation,
  canary: Found<readonly number[]>,
  baseline: Found<readonly number[]>,
  policy: Policy,
): void {
  const found = pair(o.waiting, canary, baseline, true, added);
  o.waiting = found.waiting;
  if ('missing' in found) noteMissing(o.coverage, observation, found.missing);
  else {
    const [own, base] = [found.counts, found.base!];
    const bins = Math.max(own.length, base.length);
    take(o, observation, filled(own, bins), filled(base, bins), policy);
  }
}

/** Bins that it lacks are those of labels that came later. */
function filled(counts: readonly number[], bins: number): readonly number[] {
  return counts.length === bins ? counts : [...counts, ...new Array<number>(bins - counts.length).fill(0)];
}

function added(a: readonly number[], b: readonly number[]): readonly number[] {
  const sum = [...a];
  addCounts(sum, b);
  return sum;
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

import { type Coverage, coverage, missingInWords, noteData, noteMissing } from '../coverage.js';
import { asymptoticRadius, driftLogE, psi, psiValue, rho2 } from '../drift.js';
import { type EvidencePath, evidencePath, extendPath, shownPath } from '../evidence-path.js';
import type { HistogramSignal, Missing, Observation } from '../observation.js';
import type { Policy } from '../policy.js';
import { shownLogE, significant } from '../rounding.js';
import { logSumExp, normalQuantile } from '../special.js';
import type { DriftReport } from '../verdict.js';
import { addCounts, sameBounds } from './counts.js';
import { promotionMethod } from './rate.js';

/** Requests per bin, in each arm, below which the normal approximation is not used at all. */
const LEAST_PER_BIN = 5;

/** Scores of both arms, summed from one look on. */
interface Span {
  /** The look, counted from 1, with which it begins. */
  begins: number;
  canary: number[];
  baseline: number[];
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
    looks: 0,
    later: [...new Set(starts)].filter((begins) => begins > 1).map((begins) => span(begins, plannedTicks)),
    logE: 0,
    path: evidencePath(),
  };
}

function span(begins: number, plannedTicks: number): Span {
  const bestTick = Math.max(1, (plannedTicks - begins + 1) / 2);
  return { begins, canary: [], baseline: [], ticks: 0, value: null, spanLogE: 0, bestTick };
}

export function stepDrift(o: DriftObjective, observation: Observation, policy: Policy): void {
  const canary = observation.canary.score;
  const baseline = observation.baseline?.score;
  const missing = missingScore(canary, 'canary') ?? missingScore(baseline, 'baseline');
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
  noteData(o.coverage, observation, total(canary.counts), policy.intervalSeconds * 1000);
  o.looks++;
  for (const each of [o, ...o.later])
    if (each.begins <= o.looks) stepSpan(each, canary.counts, baseline.counts, o.target, policy);
  o.logE = meanLogE(o);
  extendPath(o.path, observation.tick, o.logE);
}

function missingScore(signal: HistogramSignal | undefined, arm: string): Missing | null {
  if (!signal) return { state: 'absent', detail: `${arm} has no score histogram` };
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

/** The value of `estimate` alone, which is all that most looks need. */
function pointEstimate({ canary, baseline }: Span): number | null {
  let [bins, nCanary, nBaseline] = [0, 0, 0];
  for (let i = 0; i < canary.length; i++) {
    if (canary[i]! + baseline[i]! <= 0) continue;
    bins++;
    nCanary += canary[i]!;
    nBaseline += baseline[i]!;
  }
  if (bins < 2 || Math.min(nCanary, nBaseline) < LEAST_PER_BIN * bins) return null;
  return psiValue(canary, baseline, bins, nCanary, nBaseline);
}

/** Null while there are too few scores for the approximation. */
function estimate(o: Span, policy: Policy): Estimate | null {
  // A bin that neither arm has ever hit says nothing, and would only inflate the bias that is taken off.
  const canary: number[] = [];
  const baseline: number[] = [];
  for (let i = 0; i < o.canary.length; i++) {
    if (o.canary[i]! + o.baseline[i]! <= 0) continue;
    canary.push(o.canary[i]!);
    baseline.push(o.baseline[i]!);
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
    se: Math.sqrt((p.se ** 2 + nullVariance) * policy.designEffect.batchSize),
    bins,
  };
}

function total(counts: readonly number[]): number {
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

function upperBound(o: DriftObjective, e: Estimate, policy: Policy): number {
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

export function driftReport(o: DriftObjective, policy: Policy, tick: number): DriftReport {
  const e = estimate(o, policy);
  const logE = driftLogEvidence(o);
  const alpha = policy.alpha;
  const sd = e ? e.se * Math.sqrt(o.ticks) : 0;
  return {
    type: 'drift',
    name: o.name,
    target: o.target,
    hasData: o.coverage.hasData,
    missing: missingInWords(o.coverage.missing),
    canaryTotal: total(o.canary),
    baselineTotal: total(o.baseline),
    bins: e?.bins ?? 0,
    raw: e ? significant(e.raw) : null,
    value: e ? significant(e.value) : null,
    bounds: e
      ? {
          lower: significant(e.value - asymptoticRadius(o.ticks, sd, alpha.rollback, o.bestTick, true)),
          upper: significant(e.value + asymptoticRadius(o.ticks, sd, alpha.promote, o.bestTick, true)),
        }
      : null,
    rollback: { logE: shownLogE(logE), against: logE >= Math.log(1 / alpha.rollback) },
    promote: {
      method: promotionMethod(policy) === 'clopper-pearson' ? 'normal' : 'asymptotic-cs',
      certified: driftCertified(o, policy),
      upper: e ? significant(upperBound(o, e, policy)) : null,
    },
    design: { effect: policy.designEffect.batchSize, from: policy.designEffect.batchSize > 1 ? 'declared' : 'none' },
    path: shownPath(o.path, o.coverage.hasData ? { tick, logE } : null),
  };
}

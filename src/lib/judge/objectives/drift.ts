import { type Coverage, coverage, missingInWords, noteData, noteMissing } from '../coverage.js';
import { asymptoticRadius, driftLogE, psi, rho2 } from '../drift.js';
import { type EvidencePath, evidencePath, extendPath, shownPath } from '../evidence-path.js';
import type { HistogramSignal, Missing, Observation } from '../observation.js';
import type { Policy } from '../policy.js';
import { shownLogE, significant } from '../rounding.js';
import { normalQuantile } from '../special.js';
import type { DriftReport } from '../verdict.js';
import { addCounts, sameBounds } from './counts.js';
import { promotionMethod } from './rate.js';

/** Requests per bin, in each arm, below which the normal approximation is not used at all. */
const LEAST_PER_BIN = 5;

/** Score distribution of the canary against the baseline's, summed over the ticks so far. */
export interface DriftObjective {
  type: 'drift';
  name: string;
  target: number;
  coverage: Coverage;
  bounds: number[] | null;
  canary: number[];
  baseline: number[];
  ticks: number;
  /** After the newest tick: null while there are too few scores. */
  estimate: Estimate | null;
  /** Log e-value against the objective after the newest tick. */
  logE: number;
  /** Tick for which the confidence sequence is tightest: the middle of the window. */
  bestTick: number;
  path: EvidencePath;
}

export function driftObjective(target: number, plannedTicks: number): DriftObjective {
  return {
    type: 'drift',
    name: 'drift',
    target,
    coverage: coverage(),
    bounds: null,
    canary: [],
    baseline: [],
    ticks: 0,
    estimate: null,
    logE: 0,
    bestTick: Math.max(1, plannedTicks / 2),
    path: evidencePath(),
  };
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
  noteData(o.coverage, observation);
  addCounts(o.canary, canary.counts);
  addCounts(o.baseline, baseline.counts);
  o.ticks++;
  o.estimate = estimate(o, policy);
  o.logE = driftEvidence(o, policy);
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

/** Null while there are too few scores for the approximation. */
function estimate(o: DriftObjective, policy: Policy): Estimate | null {
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
function driftEvidence(o: DriftObjective, policy: Policy): number {
  const e = o.estimate;
  if (!e) return 0;
  return driftLogE(o.ticks, e.se * Math.sqrt(o.ticks), e.value, o.target, rho2(policy.alpha.rollback, o.bestTick));
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
  const e = o.estimate;
  return e !== null && upperBound(o, e, policy) <= o.target;
}

export function driftPointMeets(o: DriftObjective): boolean {
  return o.estimate !== null && o.estimate.value <= o.target;
}

export function driftReport(o: DriftObjective, policy: Policy, tick: number): DriftReport {
  const e = o.estimate;
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

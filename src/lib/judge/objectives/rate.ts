import { type Coverage, coverage, noteData, noteMissing } from '../coverage.js';
import { type DesignEffect, designEffect, estimateDesignEffect, stepDesignEffect } from '../design-effect.js';
import { type EvidencePath, evidencePath, extendPath } from '../evidence-path.js';
import type { ArmReading, HistogramSignal, LeftOut, Missing, Observation } from '../observation.js';
import type { Policy } from '../policy.js';
import { LN_PSI, logE } from '../rate-evidence.js';
import { mixtureLogE, type StartMixture, startMixture, stepMixture } from '../start-mixture.js';
import { nullShare, stepTwoSample, type TwoSampleState, twoSample, twoSampleLogE } from '../two-sample.js';
import type { LatencyReport, RateReport } from '../verdict.js';
import { judgeVersionOf } from '../version.js';
import {
  type ArmCounts,
  addCounts,
  bothLooks,
  countErrors,
  countSlow,
  type HungRequests,
  hungRequests,
  sameBounds,
  stepHung,
} from './counts.js';
import { type Found, nothingWaits, pair, type Waiting } from './pairing.js';

/** What one rate objective asks; made from the policy by `rateObjectives`. */
export interface RateSpec {
  name: string;
  signal: 'errors' | 'latency';
  /** As the policy says it: a rate, milliseconds, or a ratio. */
  target: number;
  p0: number;
  /** Latency limit, ms; null for errors. */
  limitMs: number | null;
  /** Largest ratio to the baseline's rate; null: judged against p0. */
  ratio: number | null;
  /** Another histogram than that of the requests' latency, the unit of its limit, and whether that fails too; left out otherwise. */
  histogram?: { name: string; unit: 'ms' | '1'; strict?: true };
}

interface Totals {
  bad: number;
  /** Latency between two bucket bounds: those that may be slow. Equal to bad otherwise. */
  possiblyBad: number;
  total: number;
}

export interface RateObjective {
  type: 'rate';
  spec: RateSpec;
  coverage: Coverage;
  canary: Totals;
  baseline: Totals;
  /** How much of the window the baseline was seen in. */
  baselineCoverage: Coverage;
  mixture: StartMixture;
  baselineMixture: StartMixture;
  comparison: TwoSampleState;
  canaryEffect: DesignEffect;
  baselineEffect: DesignEffect;
  hung: HungRequests;
  waiting: Waiting<ArmCounts>;
  /** Of the canary: what was not counted because it cannot be believed. Nothing is certified that it could overturn. */
  leftOut: Uncounted;
  /** Of the canary: what was not counted yet at the newest look. */
  undecided: Uncounted;
  histogram: { bounds: number[]; counts: number[] } | null;
  buckets: Pick<LatencyReport, 'surelyAbove' | 'possiblyAbove' | 'exact'> | null;
  /** Log e-value against the objective after the newest tick. */
  logE: number;
  path: EvidencePath;
  /** The look with which the likeliest run of each bet against it begins: when it was, and what had been counted before. */
  onsets: (RateLook | null)[];
}

/** Requests that are not counted, and how many of them may be bad. */
export interface Uncounted {
  bad: number;
  total: number;
}

interface RateLook {
  tick: number;
  at: number;
  bad: number;
  total: number;
}

export function rateObjective(spec: RateSpec, plannedTicks: number): RateObjective {
  return {
    type: 'rate',
    spec,
    coverage: coverage(),
    canary: { bad: 0, possiblyBad: 0, total: 0 },
    baseline: { bad: 0, possiblyBad: 0, total: 0 },
    baselineCoverage: coverage(),
    mixture: startMixture(plannedTicks),
    baselineMixture: startMixture(plannedTicks),
    // A target asks whether the canary is shown to be worse than the baseline, a ratio whether it is shown not to be.
    comparison: twoSample(spec.ratio === null ? 1 : -1),
    canaryEffect: designEffect(),
    baselineEffect: designEffect(),
    hung: hungRequests(),
    waiting: nothingWaits(),
    leftOut: { bad: 0, total: 0 },
    undecided: { bad: 0, total: 0 },
    histogram: null,
    buckets: null,
    logE: 0,
    path: evidencePath(),
    onsets: LN_PSI.map(() => null),
  };
}

/** Folds one tick in. Design effects come from earlier ticks only, so the bet stays fair. */
export function stepRate(o: RateObjective, observation: Observation, policy: Policy): void {
  leaveOut(o, observation.canary);
  const found = countsOf(o, observation, policy);
  if ('missing' in found) {
    noteMissing(o.coverage, observation, found.missing);
    return;
  }
  const { counts, base } = found;
  noteData(o.coverage, observation, counts.total, policy);
  const effect = effectNow(o, policy);
  // Requests in flight say nothing of what another histogram measures.
  const hung = o.spec.limitMs === null || o.spec.histogram ? 0 : stepHung(o.hung, observation, counts, o.spec.limitMs);
  const bad = counts.bad + hung;
  const total = counts.total + hung;

  if (o.spec.ratio === null) stepMixture(o.mixture, bad, total, o.spec.p0, effect);
  else if (base) stepMixture(o.mixture, bad, bad + base.bad, nullShare(total, base.total, o.spec.ratio), effect);
  if (base) {
    stepMixture(o.baselineMixture, base.bad, base.total, o.spec.p0, effect);
    stepTwoSample(o.comparison, bad, total, base.bad, base.total, o.spec.ratio ?? 1, effect);
    add(o.baseline, base.bad, base.possiblyBad, base.total);
    noteData(o.baselineCoverage, observation, base.total, policy);
    stepDesignEffect(o.baselineEffect, base.bad, base.total);
  }
  noteOnsets(o, observation);
  add(o.canary, bad, counts.possiblyBad + hung, total);
  stepDesignEffect(o.canaryEffect, bad, total);
  if (o.spec.signal === 'latency') keepHistogram(o, observation.canary, counts);
  o.logE = mixtureLogE(o.mixture);
  extendPath(o.path, observation.tick, o.logE);
}

function leaveOut(o: RateObjective, { leftOut, waiting }: ArmReading): void {
  if (leftOut !== undefined) {
    const { bad, total } = uncounted(o.spec, leftOut);
    o.leftOut = { bad: o.leftOut.bad + bad, total: o.leftOut.total + total };
  }
  o.undecided = waiting === undefined ? { bad: 0, total: 0 } : uncounted(o.spec, waiting);
}

function uncounted({ signal, histogram, limitMs }: RateSpec, { errors, histograms }: LeftOut): Uncounted {
  if (signal === 'errors') return { bad: errors?.bad ?? 0, total: errors?.total ?? 0 };
  const increments = histograms?.[histogram?.name ?? 'latency'];
  const slow =
    increments && limitMs !== null ? countSlow({ state: 'ok', ...increments }, limitMs, histogram?.strict) : null;
  return { bad: slow?.possiblyBad ?? 0, total: slow?.total ?? 0 };
}

/** Bets whose likeliest run begins with this look; called before the look is counted. */
function noteOnsets({ mixture, onsets, canary }: RateObjective, { tick, t }: Observation): void {
  let look: RateLook | null = null;
  for (let j = 0; j < onsets.length; j++) {
    if (mixture.since[j] !== mixture.tick) continue;
    look ??= { tick, at: t, bad: canary.bad, total: canary.total };
    onsets[j] = look;
  }
}

/** What this look brings of both arms. Changes what waits. */
function countsOf(
  o: RateObjective,
  observation: Observation,
  policy: Policy,
): { counts: ArmCounts; base: ArmCounts | null } | { missing: Missing } {
  const canary = foundIn(o, observation.canary);
  const { missing } = canary;
  const baseline = policy.baseline === 'none' ? undefined : observation.baseline;
  const base = baseline === undefined ? null : foundIn(o, baseline);
  const noBaseline: Missing = { state: 'absent', detail: 'no baseline to compare with' };
  const isRatio = o.spec.ratio !== null;
  // Judge 1 did not wait for what has nothing newer.
  if (judgeVersionOf(policy) === 1) {
    const { counts } = canary;
    if (!counts) return { missing };
    return isRatio && !base?.counts ? { missing: noBaseline } : { counts, base: base?.counts ?? null };
  }
  const isUnchanged = base !== null && base.counts === null && base.missing.state === 'unchanged';
  if (isUnchanged) noteMissing(o.baselineCoverage, observation, base.missing);
  const other = { counts: base?.counts ?? null, missing: isUnchanged ? base.missing : noBaseline };
  const found = pair(o.waiting, canary, other, isRatio, bothLooks);
  o.waiting = found.waiting;
  if ('missing' in found && canary.counts) keepHistogram(o, observation.canary, canary.counts);
  return found;
}

function foundIn(o: RateObjective, arm: ArmReading): Found<ArmCounts> {
  const signal = o.spec.signal === 'errors' ? arm.errors : histogramOf(o, arm);
  return { counts: armCounts(o, arm), missing: missingOf(signal, o.spec.histogram?.name) };
}

function add(totals: Totals, bad: number, possiblyBad: number, total: number): void {
  totals.bad += bad;
  totals.possiblyBad += possiblyBad;
  totals.total += total;
}

function armCounts(o: RateObjective, arm: ArmReading): ArmCounts | null {
  const { limitMs, histogram } = o.spec;
  return limitMs === null ? countErrors(arm) : countSlow(histogramOf(o, arm), limitMs, histogram?.strict);
}

function histogramOf({ spec }: RateObjective, arm: ArmReading): HistogramSignal | undefined {
  if (!spec.histogram) return arm.latency;
  const { name } = spec.histogram;
  return arm.histograms !== undefined && Object.hasOwn(arm.histograms, name) ? arm.histograms[name] : undefined;
}

function missingOf(signal: ArmReading['errors'] | HistogramSignal, histogram?: string): Missing {
  if (signal && signal.state !== 'ok') return signal;
  return { state: 'absent', detail: histogram === undefined ? 'not measured' : `no histogram named ${histogram}` };
}

function keepHistogram(o: RateObjective, arm: ArmReading, counts: ArmCounts): void {
  const signal = histogramOf(o, arm);
  if (signal?.state !== 'ok') return;
  o.buckets = counts.buckets;
  const { bounds, counts: increments } = signal;
  const known = o.histogram;
  if (known && sameBounds(known.bounds, bounds)) addCounts(known.counts, increments);
  else o.histogram = { bounds, counts: [...increments] };
}

export function effectOf(o: RateObjective, policy: Policy): RateReport['design'] {
  const effect = effectNow(o, policy);
  const { batchSize, estimate } = policy.designEffect;
  if (effect === 1) return { effect, from: 'none' };
  if (effect === batchSize) return { effect, from: 'declared' };
  const baseline = estimate && o.baseline.total > 0 && effect === estimateDesignEffect(o.baselineEffect);
  return { effect, from: baseline ? 'baseline' : 'canary' };
}

/** The largest of what is declared and what the readings of either arm say; 1 without either. */
function effectNow(o: RateObjective, { designEffect: { batchSize, estimate } }: Policy): number {
  const declared = batchSize > 1 ? batchSize : 1;
  if (!estimate) return declared;
  const baseline = o.baseline.total > 0 ? estimateDesignEffect(o.baselineEffect) : 1;
  const canary = estimateDesignEffect(o.canaryEffect);
  return Math.max(declared, baseline, canary);
}

export function rateLogE(o: RateObjective): number {
  return o.coverage.hasData ? o.logE : 0;
}

/**
 * Whether a rejected target is the canary's own doing: not when the baseline seems to miss the same target and the
 * canary is not shown to be worse than it.
 */
export function attributable(o: RateObjective, logThreshold: number): RateReport['attributable'] {
  if (o.spec.ratio !== null) return 'yes';
  if (o.baseline.total === 0) return 'unknown';
  // Any evidence at all against the baseline counts. Were it to need as much as the canary's, the canary would be rolled
  // back in every other incident that hits both, just for being the first to cross; one that is worse than its baseline
  // is told by the comparison, however the baseline fares.
  const both = mixtureLogE(o.baselineMixture) > 0 && twoSampleLogE(o.comparison) < logThreshold;
  return both ? 'no' : 'yes';
}

/** Whether the plain estimate meets the target, whatever its certainty, also with what is not counted. */
export function ratePointMeets(o: RateObjective): boolean {
  if (o.canary.total <= 0) return false;
  const more = notCounted(o);
  const rate = (o.canary.possiblyBad + more.bad) / (o.canary.total + more.total);
  if (o.spec.ratio === null) return rate <= o.spec.p0;
  return o.baseline.total > 0 && rate <= (o.spec.ratio * o.baseline.possiblyBad) / o.baseline.total;
}

export function notCounted({ leftOut, undecided }: RateObjective): Uncounted {
  return { bad: leftOut.bad + undecided.bad, total: leftOut.total + undecided.total };
}

/** Whether no bucket ends at or above the limit, and more requests than are allowed lie above the highest one for certain. */
export function isUnmeasurable(o: RateObjective, policy: Policy): boolean {
  if (o.spec.ratio !== null || o.buckets === null || o.buckets.surelyAbove !== null || o.canary.total <= 0)
    return false;
  const { effect } = effectOf(o, policy);
  const { possiblyBad, total } = o.canary;
  return logE(1, possiblyBad / effect, total / effect, o.spec.p0) >= Math.log(1 / policy.alpha.rollback);
}

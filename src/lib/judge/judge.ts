import { endsInput } from './coverage.js';
import { type EvidencePath, evidencePath, extendPath } from './evidence-path.js';
import {
  activeObjectives,
  attributable,
  certified,
  coverageOfWindow,
  endObjectives,
  logEvidence,
  nameOf,
  type Objective,
  type Objectives,
  objectivesOf,
  pointMeets,
  stepObjectives,
} from './objectives/index.js';
import type { Observation } from './observation.js';
import type { Policy } from './policy.js';
import { logSumExp } from './special.js';
import type { Certainty, Decision, Reason } from './verdict.js';

/** A canary's judgement so far: a fold over its observations, with no clock, randomness or I/O in it. */
export interface Judgement {
  policy: Policy;
  startedAt: number;
  plannedTicks: number;
  objectives: Objectives;
  /** Evidence over all objectives after the newest observation (`combinedLogE`). */
  logE: number;
  path: EvidencePath;
  last: Observation | null;
  ended: boolean;
  looked: number;
  withData: number;
  gaps: number;
  resets: number;
  /** Looks in which a counter of the canary was reset. */
  resetLooks: number;
}

/** What to do now. `report` (report.ts) makes the whole Verdict of it. */
export interface Ruling {
  decision: Decision;
  certainty: Certainty;
  reason: Reason;
  decidedBy: string | null;
}

/** From so many looks with a reset on, and when they are such a share of all, counters are not believed. */
const LEAST_RESETS = 3;
const RESET_SHARE = 0.2;

/** @param startedAt begin of the window, ms since the epoch */
export function begin(policy: Policy, startedAt: number): Judgement {
  const plannedTicks = Math.max(1, Math.ceil(policy.maxWindowSeconds / policy.intervalSeconds));
  return {
    policy,
    startedAt,
    plannedTicks,
    objectives: objectivesOf(policy, plannedTicks),
    logE: 0,
    path: evidencePath(),
    last: null,
    ended: false,
    looked: 0,
    withData: 0,
    gaps: 0,
    resets: 0,
    resetLooks: 0,
  };
}

/** Folds one observation in. Ticks must come in order. */
export function observe(j: Judgement, observation: Observation): void {
  const since = observation.t - (j.last?.t ?? observation.from);
  const gap = j.last === null ? 0 : Math.max(0, Math.round(since / (j.policy.intervalSeconds * 1000)) - 1);
  j.gaps += gap;
  if (observation.tick > 0) j.looked++;
  j.resets += (observation.canary.resets ?? 0) + (observation.baseline?.resets ?? 0);
  if ((observation.canary.resets ?? 0) > 0) j.resetLooks++;
  const ends = endsInput(observation);
  if (ends) endObjectives(j.objectives);
  else stepObjectives(j.objectives, observation, gap, j.policy);
  j.last = observation;
  j.ended ||= ends;
  if (activeObjectives(j.objectives).some((o) => o.coverage.hasData && o.coverage.missing === null)) j.withData++;
  j.logE = combinedLogE(j);
  extendPath(j.path, observation.tick, j.logE);
}

/**
 * Mean of the objectives' e-values, as a logarithm. The number of objectives is fixed by the policy: one
 * without data counts as 1. `heldBack` leaves out those whose evidence is the baseline's incident too.
 */
function combinedLogE(j: Judgement, heldBack = false): number {
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  const { counted } = j.objectives;
  if (counted.length === 0) return 0;
  const logs: number[] = [];
  for (const { counted: o } of counted) {
    const logE = logEvidence(o);
    logs.push(heldBack && o.type === 'rate' && attributable(o, logThreshold) === 'no' ? Math.min(0, logE) : logE);
  }
  return logSumExp(logs) - Math.log(counted.length);
}

/** @param now ms since the epoch; usually the newest observation's `t` */
export function rule(j: Judgement, now: number): Ruling {
  return against(j) ?? withoutData(j, now) ?? early(j, now) ?? atTheEnd(j, now) ?? watching(j);
}

function against(j: Judgement): Ruling | null {
  const failing = activeObjectives(j.objectives).find((o) => o.type === 'reading' && o.against);
  if (failing)
    return { decision: 'rollback', certainty: 'uncertified', reason: 'failing_readings', decidedBy: nameOf(failing) };
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  // Holding evidence back only lessens it.
  if (j.logE < logThreshold || combinedLogE(j, true) < logThreshold) return null;
  return { decision: 'rollback', certainty: 'certified', reason: 'evidence_against', decidedBy: strongest(j) };
}

/** The objective with the most evidence against it, of those that are the canary's own doing. */
function strongest(j: Judgement): string {
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  const own = j.objectives.counted
    .map((o) => o.counted)
    .filter((o) => o.type === 'drift' || attributable(o, logThreshold) !== 'no');
  return nameOf(own.reduce((a, b) => (logEvidence(b) > logEvidence(a) ? b : a)));
}

/** Whether evidence against the canary is held back because the baseline shows the same incident. */
export function heldObjective(j: Judgement): string | null {
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  if (j.logE < logThreshold || combinedLogE(j, true) >= logThreshold) return null;
  const held = j.objectives.counted
    .map((o) => o.counted)
    .find((o) => o.type === 'rate' && attributable(o, logThreshold) === 'no');
  return held ? nameOf(held) : null;
}

/** ms since the epoch of the last data of any objective; the start when there never was any. */
export function lastDataAt(j: Judgement): number {
  let last = j.startedAt;
  for (const { coverage } of activeObjectives(j.objectives)) last = Math.max(last, coverage.lastAt ?? 0);
  return last;
}

/** Longest silence of any objective, seconds, and whether all are silent. */
export function silence(j: Judgement, now: number): { seconds: number; since: number; total: boolean } {
  const marks = activeObjectives(j.objectives).map((o) => Math.max(j.startedAt, o.coverage.lastAt ?? 0));
  const since = Math.min(now, ...marks);
  const quiet = (mark: number) => (now - mark) / 1000 >= j.policy.noDataSeconds;
  return { seconds: (now - since) / 1000, since, total: marks.every(quiet) };
}

function withoutData(j: Judgement, now: number): Ruling | null {
  // With a source for any objective the canary is still watched by it, though it cannot be promoted.
  if (activeObjectives(j.objectives).every((o) => o.coverage.missing?.state === 'no_source')) return block('no_source');
  if ((now - lastDataAt(j)) / 1000 < j.policy.noDataSeconds) return null;
  if (j.policy.onNoData === 'hold') return null;
  const reason = silentReason(j);
  if (j.policy.onNoData === 'rollback')
    return { decision: 'rollback', certainty: 'uncertified', reason, decidedBy: null };
  return block(reason);
}

function silentReason(j: Judgement): Reason {
  const states = activeObjectives(j.objectives).flatMap(({ coverage }) => coverage.missing?.state ?? []);
  if (states.some((s) => s === 'unreachable' || s === 'refused')) return 'source_unreachable';
  return states.length > 0 && states.every((s) => s === 'no_source') ? 'no_source' : 'no_data';
}

function early(j: Judgement, now: number): Ruling | null {
  if (j.policy.promote !== 'early' || j.looked === 0) return null;
  const objectives = activeObjectives(j.objectives);
  // Readings have no promised error that survives peeking: they are looked at when the window ends.
  if (objectives.some((o) => o.type === 'reading' || o.coverage.missing !== null)) return null;
  if (windowCoverage(j, now) < j.policy.minCoverage || missingBaseline(j, now)) return null;
  if (heldObjective(j) || unstableCounters(j)) return null;
  if (!objectives.every((o) => certified(o, j.policy))) return null;
  return { decision: 'promote', certainty: 'certified', reason: 'certified_early', decidedBy: null };
}

export function windowEndsAt(j: Judgement): number {
  return j.startedAt + j.policy.windowSeconds * 1000;
}

function atTheEnd(j: Judgement, now: number): Ruling | null {
  if (now < windowEndsAt(j) && !j.ended) return null;
  const objectives = activeObjectives(j.objectives);
  const last = j.ended || now >= j.startedAt + j.policy.maxWindowSeconds * 1000;
  const extendable = j.policy.onInconclusive === 'extend' && !last;
  const stop = (ruling: Ruling) => (extendable ? null : ruling);

  const silent = objectives.filter((o) => !speaks(j, o, now));
  if (silent.length > 0) return mayReturn(j, silent, now) ? null : stop(block(silentReason(j)));
  if (endedEarly(j) || windowCoverage(j, now) < j.policy.minCoverage) return stop(block('coverage'));
  if (unstableCounters(j)) return stop(block('unstable_counters'));
  if (missingBaseline(j, now)) return stop(block('no_baseline'));
  if (heldObjective(j)) return stop(block('not_attributable'));
  if (objectives.every((o) => certified(o, j.policy))) {
    const certainty = objectives.some((o) => o.type === 'reading') ? 'uncertified' : 'certified';
    const reason = certainty === 'certified' ? 'certified_at_end' : 'met_without_certificate';
    return { decision: 'promote', certainty, reason, decidedBy: null };
  }
  if (j.policy.onInconclusive === 'promote' && objectives.every(pointMeets) && j.logE < 0)
    return { decision: 'promote', certainty: 'uncertified', reason: 'met_without_certificate', decidedBy: null };
  return stop(block('inconclusive', undecided(objectives, j.policy)));
}

/**
 * Whether the newest look had data of the objective. A canary that has just fallen silent may have just crashed, however
 * good it was before. Between two samples of a source there is nothing newer: then the last one must be fresh.
 */
function speaks(j: Judgement, o: Objective, now: number): boolean {
  const { missing } = o.coverage;
  const silent = missing !== null && missing.state !== 'unchanged' && missing.state !== 'ended';
  return !silent && fresh(j, o, now);
}

/** At the end of the window a decision waits for what has fallen silent, as long as the policy bears silence at all. */
function mayReturn(j: Judgement, silent: readonly Objective[], now: number): boolean {
  if (j.ended) return false;
  return silent.every(({ coverage: { hasData, lastAt } }) => {
    return hasData && lastAt !== null && (now - lastAt) / 1000 < j.policy.noDataSeconds;
  });
}

/** An input that stops before the window does has not shown its end, whatever share of it must be covered. */
function endedEarly(j: Judgement): boolean {
  return j.ended && j.last !== null && j.last.t < windowEndsAt(j) - j.policy.intervalSeconds * 1000;
}

/** Counters that are reset again and again are not one service's: a load balancer, a crash loop, a gauge. */
function unstableCounters(j: Judgement): boolean {
  return j.resetLooks >= LEAST_RESETS && j.resetLooks >= j.looked * RESET_SHARE;
}

/** Data may not be older than this at the moment something is promoted. */
function fresh(j: Judgement, o: Objective, now: number): boolean {
  if (!o.coverage.hasData || o.coverage.lastAt === null) return false;
  const { intervalSeconds, noDataSeconds, windowSeconds } = j.policy;
  const limit = Math.max(3 * intervalSeconds, Math.min(noDataSeconds, windowSeconds / 4));
  return (now - o.coverage.lastAt) / 1000 <= limit;
}

/** Share of the time since the start that the least covered objective has seen, 0..1. */
export function windowCoverage(j: Judgement, now: number): number {
  const whole = Math.max(now - j.startedAt, j.ended ? j.policy.windowSeconds * 1000 : 0);
  return coverageOfWindow(activeObjectives(j.objectives), whole);
}

function missingBaseline(j: Judgement, now: number): boolean {
  if (j.policy.baseline !== 'required') return false;
  const least = j.policy.minCoverage * (now - j.startedAt);
  return j.objectives.counted.some(({ counted: o }) => {
    return o.type === 'rate' && (o.baseline.total <= 0 || o.baselineCoverage.coveredMs < least);
  });
}

function undecided(objectives: Objective[], policy: Policy): string | null {
  const first = objectives.find((o) => !certified(o, policy));
  return first ? nameOf(first) : null;
}

function block(reason: Reason, decidedBy: string | null = null): Ruling {
  return { decision: 'block', certainty: 'undecided', reason, decidedBy };
}

function watching(j: Judgement): Ruling {
  const held = heldObjective(j);
  return {
    decision: 'continue',
    certainty: 'undecided',
    reason: held ? 'not_attributable' : 'watching',
    decidedBy: held,
  };
}

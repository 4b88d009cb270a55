import { idleEnd } from './idle.js';
import {
  combinedLogE,
  deciding,
  decidingCounted,
  heldObjective,
  type Judgement,
  lastDataAt,
  windowEndsAt,
} from './judgement.js';
import {
  attributable,
  certified,
  coverageOfWindow,
  isUnmeasurable,
  logEvidence,
  nameOf,
  type Objective,
  pointMeets,
} from './objectives/index.js';
import type { Policy } from './policy.js';
import { forbids, isAlone, rollsBack } from './silence/index.js';
import type { Certainty, Decision, Reason } from './verdict.js';

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

/** @param now ms since the epoch; usually the newest observation's `t` */
export function rule(j: Judgement, now: number): Ruling {
  return (
    against(j) ??
    silent(j, now) ??
    unmeasurable(j) ??
    withoutData(j, now) ??
    early(j, now) ??
    atTheEnd(j, now) ??
    watching(j)
  );
}

function against(j: Judgement): Ruling | null {
  const failing = deciding(j).find((o) => o.type === 'reading' && o.against);
  if (failing)
    return { decision: 'rollback', certainty: 'uncertified', reason: 'failing_readings', decidedBy: nameOf(failing) };
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  // Holding evidence back only lessens it.
  if (j.logE < logThreshold || combinedLogE(j, true) < logThreshold) return null;
  return { decision: 'rollback', certainty: 'certified', reason: 'evidence_against', decidedBy: strongest(j) };
}

/** A canary that is silent, or begins anew over and over, while its baseline serves; never certified. */
function silent(j: Judgement, now: number): Ruling | null {
  const window = { begins: j.startedAt, ends: windowEndsAt(j), planned: j.plannedTicks };
  const reason = j.version === 1 ? null : rollsBack(j.silence, j.policy, window, now);
  return reason && { decision: 'rollback', certainty: 'uncertified', reason, decidedBy: BY[reason] };
}

const BY = { unavailable: 'availability', restarts: null } as const;

/**
 * A latency limit above every bucket: nothing can be shown to be slower, and more may be than is allowed. Neither more
 * traffic nor more time settles that.
 */
function unmeasurable(j: Judgement): Ruling | null {
  if (j.version === 1) return null;
  const found = deciding(j).find((o) => o.type === 'rate' && isUnmeasurable(o, j.policy));
  return found ? block('no_bucket', nameOf(found)) : null;
}

/** The objective with the most evidence against it, of those that are the canary's own doing. */
function strongest(j: Judgement): string {
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  const own = decidingCounted(j)
    .map((o) => o.counted)
    .filter((o) => o.type === 'drift' || attributable(o, logThreshold) !== 'no');
  return nameOf(own.reduce((a, b) => (logEvidence(b) > logEvidence(a) ? b : a)));
}

function withoutData(j: Judgement, now: number): Ruling | null {
  // With a source for any objective the canary is still watched by it, though it cannot be promoted.
  if (deciding(j).every((o) => o.coverage.missing?.state === 'no_source')) return block('no_source');
  if ((now - lastDataAt(j)) / 1000 < j.policy.noDataSeconds) return null;
  if (j.policy.onNoData === 'hold') return null;
  const reason = silentReason(j);
  if (j.policy.onNoData === 'rollback')
    return { decision: 'rollback', certainty: 'uncertified', reason, decidedBy: null };
  return isAlone(j.silence, j.policy) ? null : block(reason);
}

function silentReason(j: Judgement): Reason {
  const states = deciding(j).flatMap(({ coverage }) => coverage.missing?.state ?? []);
  if (states.some((s) => s === 'unreachable' || s === 'refused')) return 'source_unreachable';
  return states.length > 0 && states.every((s) => s === 'no_source') ? 'no_source' : 'no_data';
}

function early(j: Judgement, now: number): Ruling | null {
  if (j.policy.promote !== 'early' || j.looked === 0) return null;
  const objectives = deciding(j);
  // Readings have no promised error that survives peeking: they are looked at when the window ends.
  if (objectives.some((o) => o.type === 'reading' || o.coverage.missing !== null)) return null;
  if (windowCoverage(j, now) < j.policy.minCoverage || missingBaseline(j, now)) return null;
  if (heldObjective(j) || unstableCounters(j) || (j.version > 2 && j.silence.downNow)) return null;
  if (forbidden(j) || idleEnd(j, now)) return null;
  if (!objectives.every((o) => certified(o, j.policy))) return null;
  return { decision: 'promote', certainty: 'certified', reason: 'certified_early', decidedBy: null };
}

function atTheEnd(j: Judgement, now: number): Ruling | null {
  if (now < windowEndsAt(j) && !j.ended) return null;
  const objectives = deciding(j);
  const last = j.ended || now >= j.startedAt + j.policy.maxWindowSeconds * 1000;
  const extendable = j.policy.onInconclusive === 'extend' && !last;
  const stop = (ruling: Ruling) => (extendable ? null : ruling);

  const silent = objectives.filter((o) => !speaks(j, o, now));
  if (silent.length > 0) {
    const waits = mayReturn(j, silent, now) || (!j.ended && isAlone(j.silence, j.policy));
    return waits ? null : stop(block(silentReason(j)));
  }
  if (isBehind(j, objectives, now)) return null;
  if (endedEarly(j) || windowCoverage(j, now) < j.policy.minCoverage) return stop(block('coverage'));
  if (idleEnd(j, now)) return stop(block('coverage'));
  const reason = forbidden(j);
  // Resets tell of restarts only where they are not one service's counters read in turn.
  if (unstableCounters(j) && !(reason === 'restarts' && j.silence.canary.known))
    return stop(block('unstable_counters'));
  if (reason !== null) return stop(block(reason, BY[reason]));
  if (missingBaseline(j, now)) return stop(block('no_baseline'));
  if (heldObjective(j)) return stop(block('not_attributable'));
  if (objectives.every((o) => certified(o, j.policy))) {
    const certainty = objectives.some((o) => o.type === 'reading') ? 'uncertified' : 'certified';
    const reason = certainty === 'certified' ? 'certified_at_end' : 'met_without_certificate';
    return { decision: 'promote', certainty, reason, decidedBy: null };
  }
  if (j.policy.onInconclusive === 'promote' && objectives.every((o) => pointMeets(o, j.policy)) && j.logE < 0)
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

/**
 * Whether the newest data do not show the end of the window yet, but may: the canary does not answer, though something was read
 * just before; or its source has had nothing newer, as between two scrapes of a Prometheus. What died meanwhile looks alive.
 */
function isBehind(j: Judgement, objectives: readonly Objective[], now: number): boolean {
  const ends = windowEndsAt(j);
  if (j.version < 3 || j.ended || (now - ends) / 1000 >= j.policy.noDataSeconds) return false;
  return (
    j.silence.downNow ||
    objectives.some(({ coverage: { missing, lastAt } }) => missing?.state === 'unchanged' && (lastAt ?? 0) < ends)
  );
}

/** An input that stops before the window does has not shown its end, whatever share of it must be covered. */
function endedEarly(j: Judgement): boolean {
  return j.ended && j.last !== null && j.last.t < windowEndsAt(j) - j.policy.intervalSeconds * 1000;
}

/** Counters that are reset again and again are not one service's: a load balancer, a crash loop, a gauge. */
function unstableCounters(j: Judgement): boolean {
  return j.resetLooks >= LEAST_RESETS && j.resetLooks >= j.looked * RESET_SHARE;
}

function forbidden(j: Judgement): 'unavailable' | 'restarts' | null {
  return j.version === 1 ? null : forbids(j.silence, j.policy);
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
  return coverageOfWindow(deciding(j), whole);
}

function missingBaseline(j: Judgement, now: number): boolean {
  if (j.policy.baseline !== 'required') return false;
  const least = j.policy.minCoverage * (now - j.startedAt);
  const counted = decidingCounted(j);
  // A number that is only read has no baseline beside it: whether there was one is seen by its answers.
  if (counted.length === 0 && j.version > 1) return !j.silence.baselineAnswered;
  return counted.some(({ counted: o }) => {
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

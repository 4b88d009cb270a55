import { endsInput } from './coverage.js';
import { type EvidencePath, evidencePath, extendPath } from './evidence-path.js';
import {
  activeObjectives,
  attributable,
  type CountedObjective,
  endObjectives,
  logEvidence,
  nameOf,
  type Objective,
  type Objectives,
  objectivesOf,
  settleObjectives,
  stepObjectives,
} from './objectives/index.js';
import type { Observation } from './observation.js';
import type { Policy } from './policy.js';
import { type Silence, seeAnswer, silenceOf, stepSilence } from './silence/index.js';
import { logSumExp } from './special.js';
import { type JudgeVersion, judgeVersionOf } from './version.js';
import { inWindow, windowBegins } from './warmup.js';

/** A canary's judgement so far: a fold over its observations, with no clock, randomness or I/O in it. */
export interface Judgement {
  policy: Policy;
  /** Begin of the window, ms since the epoch: the start, or the end of the warm-up. */
  startedAt: number;
  plannedTicks: number;
  objectives: Objectives;
  /** Names of the objectives that are only shown. */
  shownOnly: ReadonlySet<string>;
  version: JudgeVersion;
  silence: Silence;
  /** Evidence over all objectives that decide after the newest observation (`combinedLogE`). */
  logE: number;
  path: EvidencePath;
  last: Observation | null;
  ended: boolean;
  looked: number;
  /** Looks in the warm-up. */
  warmingLooks: number;
  withData: number;
  gaps: number;
  resets: number;
  /** Looks in which a counter of the canary was reset. */
  resetLooks: number;
}

/** @param startedAt when the canary started, ms since the epoch */
export function begin(policy: Policy, startedAt: number): Judgement {
  const plannedTicks = Math.max(1, Math.ceil(policy.maxWindowSeconds / policy.intervalSeconds));
  return {
    policy,
    startedAt: windowBegins(policy, startedAt),
    plannedTicks,
    objectives: objectivesOf(policy, plannedTicks),
    shownOnly: new Set(policy.reportOnly),
    version: judgeVersionOf(policy),
    silence: silenceOf(),
    logE: 0,
    path: evidencePath(),
    last: null,
    ended: false,
    looked: 0,
    warmingLooks: 0,
    withData: 0,
    gaps: 0,
    resets: 0,
    resetLooks: 0,
  };
}

/** Folds one observation in. Ticks must come in order. */
export function observe(j: Judgement, recorded: Observation): void {
  const ends = endsInput(recorded);
  if (!ends) settleObjectives(j.objectives, recorded);
  const observation = (j.policy.warmupSeconds ?? 0) > 0 && !ends ? inWindow(recorded, j.startedAt) : recorded;
  if (observation === null) {
    if (recorded.tick > 0) j.warmingLooks++;
    seeAnswer(j.silence, recorded, j.policy);
    j.last = recorded;
    return;
  }
  const since = observation.t - (j.last?.t ?? observation.from);
  const gap = j.last === null ? 0 : Math.max(0, Math.round(since / (j.policy.intervalSeconds * 1000)) - 1);
  j.gaps += gap;
  if (observation.tick > 0) j.looked++;
  j.resets += (observation.canary.resets ?? 0) + (observation.baseline?.resets ?? 0);
  if ((observation.canary.resets ?? 0) > 0) j.resetLooks++;
  if (observation.tick === 0) seeAnswer(j.silence, observation, j.policy);
  else if (j.version > 1 && !ends) stepSilence(j.silence, observation, j.policy);
  if (ends) endObjectives(j.objectives);
  else stepObjectives(j.objectives, observation, gap, j.policy);
  j.last = observation;
  j.ended ||= ends;
  if (deciding(j).some((o) => o.coverage.hasData && o.coverage.missing === null)) j.withData++;
  j.logE = combinedLogE(j);
  extendPath(j.path, observation.tick, j.logE);
}

/** The objectives that decide: all but those that are only shown. */
export function deciding(j: Judgement): Objective[] {
  const all = activeObjectives(j.objectives);
  return j.shownOnly.size === 0 ? all : all.filter((o) => !j.shownOnly.has(nameOf(o)));
}

/** Those of them that are judged by counts, when there are any. */
export function decidingCounted({ objectives: { counted }, shownOnly }: Judgement): CountedObjective[] {
  return shownOnly.size === 0 ? counted : counted.filter((o) => !shownOnly.has(nameOf(o.counted)));
}

/**
 * Mean of the objectives' e-values, as a logarithm. The number of objectives is fixed by the policy: one
 * without data counts as 1. `heldBack` leaves out those whose evidence is the baseline's incident too.
 */
export function combinedLogE(j: Judgement, heldBack = false): number {
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  const counted = decidingCounted(j);
  if (counted.length === 0) return 0;
  const logs: number[] = [];
  for (const { counted: o } of counted) {
    const logE = logEvidence(o);
    logs.push(heldBack && o.type === 'rate' && attributable(o, logThreshold) === 'no' ? Math.min(0, logE) : logE);
  }
  return logSumExp(logs) - Math.log(counted.length);
}

/** Whether evidence against the canary is held back because the baseline shows the same incident. */
export function heldObjective(j: Judgement): string | null {
  const logThreshold = Math.log(1 / j.policy.alpha.rollback);
  if (j.logE < logThreshold || combinedLogE(j, true) >= logThreshold) return null;
  const held = decidingCounted(j)
    .map((o) => o.counted)
    .find((o) => o.type === 'rate' && attributable(o, logThreshold) === 'no');
  return held ? nameOf(held) : null;
}

/** ms since the epoch of the last data of any objective; the begin of the window when there never was any. */
export function lastDataAt(j: Judgement): number {
  let last = j.startedAt;
  for (const { coverage } of deciding(j)) last = Math.max(last, coverage.lastAt ?? 0);
  return last;
}

/** Longest silence of any objective, seconds, and whether all are silent. */
export function silence(j: Judgement, now: number): { seconds: number; since: number; total: boolean } {
  const marks = deciding(j).map((o) => Math.max(j.startedAt, o.coverage.lastAt ?? 0));
  const since = Math.min(now, ...marks);
  const quiet = (mark: number) => (now - mark) / 1000 >= j.policy.noDataSeconds;
  return { seconds: (now - since) / 1000, since, total: marks.every(quiet) };
}

export function windowEndsAt(j: Judgement): number {
  return j.startedAt + j.policy.windowSeconds * 1000;
}

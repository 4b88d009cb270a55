import { shownPath } from './evidence-path.js';
import { idleEnd } from './idle.js';
import { type Ruling, rule, windowCoverage } from './judge.js';
import { begin, deciding, type Judgement, observe, silence } from './judgement.js';
import {
  activeObjectives,
  driftReport,
  nameOf,
  type Objective,
  rateReport,
  readingReport,
} from './objectives/index.js';
import type { Observation } from './observation.js';
import type { Policy } from './policy.js';
import { shownLogE, significant } from './rounding.js';
import { silenceReport } from './silence/index.js';
import type { NoData, ObjectiveReport, Verdict } from './verdict.js';

/**
 * The judge: folds the observations and says what to do at `now`, with everything an explanation shows. Pure: the
 * same inputs give the same bytes, live and in replay.
 * @param startedAt when the canary started, ms since the epoch
 * @param observations in order of tick; those after the one that decided are not looked at
 */
export function judge(policy: Policy, startedAt: number, observations: Iterable<Observation>, now?: number): Verdict {
  const j = begin(policy, startedAt);
  for (const observation of observations) {
    observe(j, observation);
    const ruling = rule(j, observation.t);
    if (ruling.decision !== 'continue') return report(j, ruling, observation.t);
  }
  const at = Math.max(now ?? startedAt, j.last?.t ?? startedAt);
  return report(j, rule(j, at), at);
}

/**
 * The whole Verdict of a ruling made at `now`.
 * @param bounds false leaves out what a `Glance` does not show and most of the time goes to
 */
export function report(j: Judgement, ruling: Ruling, now: number, bounds = true): Verdict {
  const { policy } = j;
  const tick = j.last?.tick ?? 0;
  const elapsed = Math.max(0, (now - j.startedAt) / 1000);
  const { logE } = j;
  return {
    judge: j.version,
    ...ruling,
    tick,
    at: now,
    startedAt: j.startedAt,
    elapsedSeconds: significant(elapsed),
    savedSeconds: ruling.decision === 'continue' ? 0 : significant(Math.max(0, policy.windowSeconds - elapsed)),
    alpha: policy.alpha,
    evidence: {
      logE: shownLogE(logE),
      logThreshold: significant(Math.log(1 / policy.alpha.rollback)),
      path: shownPath(j.path, j.last ? { tick, logE } : null),
    },
    objectives: activeObjectives(j.objectives).map((o) => objectiveReport(o, j, elapsed, tick, bounds)),
    ticks: { looked: j.looked, withData: j.withData, planned: j.plannedTicks, gaps: j.gaps, resets: j.resets },
    coverage: significant(windowCoverage(j, now)),
    noData: noData(j, now),
    assumptions: assumptions(j),
    ...(j.version > 1 ? { silence: { ...silenceReport(j.silence, policy), idle: idleEnd(j, now) } } : {}),
    ...((policy.warmupSeconds ?? 0) > 0 ? { warmup: { seconds: policy.warmupSeconds!, looked: j.warmingLooks } } : {}),
  };
}

function objectiveReport(
  o: Objective,
  { policy, shownOnly }: Judgement,
  elapsed: number,
  tick: number,
  bounds: boolean,
): ObjectiveReport {
  const found = reportOf(o, policy, elapsed, tick, bounds);
  return shownOnly.has(nameOf(o)) ? { ...found, reportOnly: true } : found;
}

function reportOf(o: Objective, policy: Policy, elapsed: number, tick: number, bounds: boolean): ObjectiveReport {
  if (o.type === 'rate') return rateReport(o, policy, elapsed, tick, bounds);
  return o.type === 'drift' ? driftReport(o, policy, tick, bounds) : readingReport(o, policy);
}

/** Set while any objective is without data: which, why, and since when. */
export function noData(j: Judgement, now: number): NoData | null {
  const silent = deciding(j).filter((o) => o.coverage.missing && o.coverage.missing.state !== 'first');
  if (silent.length === 0) return null;
  const { seconds, since, total } = silence(j, now);
  const states = Object.fromEntries(
    silent.map((o) => {
      const { state, detail } = o.coverage.missing!;
      return [nameOf(o), detail ? `${state}: ${detail}` : state];
    }),
  );
  return { since, seconds: significant(seconds), total, states };
}

function assumptions(j: Judgement): string[] {
  const list: string[] = [];
  const objectives = activeObjectives(j.objectives);
  const { batchSize, estimate } = j.policy.designEffect;
  if (objectives.some((o) => o.type === 'rate')) {
    list.push(
      batchSize > 1
        ? `at most ${batchSize} requests share one fate (declared)`
        : estimate
          ? 'requests are independent but for the correlation estimated from earlier ticks'
          : 'requests are independent of one another',
    );
  }
  if (objectives.some((o) => o.type === 'drift')) list.push('the drift bound holds asymptotically, not exactly');
  if (objectives.some((o) => o.type === 'reading')) list.push('readings without counts carry no promised error');
  return list;
}

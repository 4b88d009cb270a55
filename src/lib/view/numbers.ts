import { certificate, isAtEnd, objectiveLine, odds, progressLine } from '../explain/index.js';
import type { Bounds, ObjectiveGlance, ObjectiveReport, Policy, Verdict } from '../judge/index.js';
import { glanceOf } from '../judge/index.js';
import { cellOf, meterOf } from './cell.js';

/** Numbers of a canary as of its newest check, or of the check that decided it: what a glance has, and what that rests on. */
export interface CanaryNumbers {
  /** Number of the check, from 0, and when it was, RFC 3339. */
  check: number;
  at: string;
  /** Before the window (`warm_up`), in it, or decided. */
  phase: 'warm_up' | 'window' | 'decided';
  elapsedSeconds: number;
  windowSeconds: number;
  /** When the window ends, RFC 3339. */
  windowEndsAt: string;
  /** How long after the check that is; null once it is decided. */
  secondsLeft: number | null;
  /** Over all objectives that decide. */
  evidence: {
    /** Natural logarithms: it is rolled back when `logE` reaches `logThreshold`. */
    logE: number;
    logThreshold: number;
    /** The same in words, `381:1`. */
    odds: string;
    rollsBackAt: string;
    /** How far that is, 0..1. */
    toRollback: number;
  };
  objectives: ObjectiveNumbers[];
  /** Share of the window covered by readings, 0..1. */
  coverage: number;
  checks: Verdict['ticks'];
  noData: Verdict['noData'];
  /** All of it in one line. */
  says: string;
}

/** One objective: its value beside its limit, and what the value rests on. Missing data is null, and `missing` says why. */
export interface ObjectiveNumbers extends Pick<ObjectiveGlance, 'name' | 'value' | 'limit' | 'op' | 'unit' | 'n'> {
  /**
   * `against`: it counts against the canary; `certified`: it is met for certain; `met_so_far`: it would be if the window ended
   * now; `undecided`: neither; `no_data`.
   */
  state: 'against' | 'certified' | 'met_so_far' | 'undecided' | 'no_data';
  /** Share of the limit that is left, 1 (all of it) to -1 (twice the limit and more). */
  headroom: number | null;
  /** How many of `n` were bad. */
  bad: number | null;
  /** Of counts: the share of bad ones, the largest allowed share, and the bounds of the true one. Of drift: the bounds of the value. */
  share: number | null;
  shareLimit: number | null;
  bounds: Bounds | null;
  /** Natural logarithm of the evidence against it; null for readings, which give none. */
  logE: number | null;
  /** How many more requests, and how long that takes at this traffic, until it can be certified; null: none, or not known. */
  needs: { requests: number; seconds: number | null } | null;
  missing: string | null;
  reportOnly: boolean;
  /** In words, with its bounds. */
  says: string;
}

/**
 * The numbers of a verdict, or of one that is not decided yet. Pure.
 * @param extended whether the window was extended
 */
export function numbersOf(verdict: Verdict, policy: Policy, extended = false): CanaryNumbers {
  const { decision, at, startedAt, tick, elapsedSeconds, coverage, ticks, noData, evidence } = verdict;
  const windowSeconds = extended ? policy.maxWindowSeconds : policy.windowSeconds;
  const end = startedAt + windowSeconds * 1000;
  const isDecided = decision !== 'continue';
  const atEnd = isAtEnd(verdict);
  const glances = glanceOf(verdict).objectives;
  return {
    check: tick,
    at: new Date(at).toISOString(),
    phase: isDecided ? 'decided' : verdict.warmup !== undefined && at <= startedAt ? 'warm_up' : 'window',
    elapsedSeconds,
    windowSeconds,
    windowEndsAt: new Date(end).toISOString(),
    secondsLeft: isDecided ? null : Math.max(0, end - at) / 1000,
    evidence: {
      logE: evidence.logE,
      logThreshold: evidence.logThreshold,
      odds: odds(evidence.logE),
      rollsBackAt: odds(evidence.logThreshold),
      toRollback: rounded(meterOf(evidence).share),
    },
    objectives: verdict.objectives.map((report, i) => objectiveNumbers(report, glances[i]!, atEnd)),
    coverage,
    checks: ticks,
    noData,
    says: progressLine(verdict, windowSeconds),
  };
}

function objectiveNumbers(report: ObjectiveReport, glance: ObjectiveGlance, atEnd: boolean): ObjectiveNumbers {
  const { name, value, limit, op, unit, n, logE, missing } = glance;
  const { headroom } = cellOf(glance);
  return {
    name,
    state: stateOf(report, atEnd),
    ...{ value, limit, op, unit, n, logE, missing },
    headroom: headroom === null ? null : rounded(headroom),
    ...countsOf(report),
    reportOnly: report.reportOnly ?? false,
    says: objectiveLine(report),
  };
}

function stateOf(o: ObjectiveReport, atEnd: boolean): ObjectiveNumbers['state'] {
  if (o.type === 'reading' ? o.against : o.rollback.against) return 'against';
  if (!o.hasData) return 'no_data';
  return ({ yes: 'certified', 'so far': 'met_so_far', no: 'undecided' } as const)[certificate(o, atEnd)];
}

function countsOf(o: ObjectiveReport): Pick<ObjectiveNumbers, 'bad' | 'share' | 'shareLimit' | 'bounds' | 'needs'> {
  const none = { bad: null, share: null, shareLimit: null, bounds: null, needs: null };
  if (o.type === 'reading') return { ...none, bad: o.failing };
  if (o.type === 'drift') return { ...none, bounds: o.bounds };
  // The boundary of a ratio is a rate of the baseline, which is not known beforehand.
  return { bad: o.bad, share: o.rate, shareLimit: o.relative ? null : o.p0, bounds: o.bounds, needs: o.needed };
}

/** Of as many digits as somebody reads. */
function rounded(share: number): number {
  return Number(share.toPrecision(6));
}

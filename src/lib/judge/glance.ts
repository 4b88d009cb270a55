import type { Ruling } from './judge.js';
import type { Judgement } from './judgement.js';
import { report } from './report.js';
import type { DriftReport, ObjectiveReport, RateReport, ReadingReport, Verdict } from './verdict.js';

/** A verdict in short, for a row of a table and for each event of a stream. */
export interface Glance {
  tick: number;
  /** Ms since the epoch. */
  at: number;
  decision: Verdict['decision'];
  certainty: Verdict['certainty'];
  reason: Verdict['reason'];
  elapsedSeconds: number;
  /** Natural logs: evidence against the canary, and that from which on it is rolled back. */
  logE: number;
  logThreshold: number;
  /** Share of the window covered by readings, 0..1. */
  coverage: number;
  /** Since when, ms since the epoch, readings have been missing; null: they are not. */
  noDataSince: number | null;
  objectives: ObjectiveGlance[];
}

/** `share` 0..1, `ms`, `1` a plain number, `ratio` to the baseline, `psi` of drift. */
export type GlanceUnit = 'share' | 'ms' | '1' | 'ratio' | 'psi';

export interface ObjectiveGlance {
  name: string;
  unit: GlanceUnit;
  /** Null: there is none, `missing` says why if it is for lack of data. */
  value: number | null;
  /** The value has to stay on the side of it that `op` says. */
  limit: number;
  op: '<=' | '<' | '>=' | '>';
  /** Requests, scores or readings that it is made of. */
  n: number;
  /** Natural log of the evidence against it; null for readings without counts. */
  logE: number | null;
  /** `against` the canary, `met` certified to be met, `open` neither. */
  standing: 'against' | 'met' | 'open';
  missing: string | null;
  reportOnly?: true;
}

/** A ruling made at `now`, in short: what `glanceOf` makes of its whole verdict, at a tenth of the cost. */
export function glance(j: Judgement, ruling: Ruling, now: number): Glance {
  return glanceOf(report(j, ruling, now, false));
}

export function glanceOf(verdict: Verdict): Glance {
  const { tick, at, decision, certainty, reason, elapsedSeconds, evidence, coverage, noData, objectives } = verdict;
  return {
    ...{ tick, at, decision, certainty, reason, elapsedSeconds, coverage },
    logE: evidence.logE,
    logThreshold: evidence.logThreshold,
    noDataSince: noData?.since ?? null,
    objectives: objectives.map(objectiveGlance),
  };
}

function objectiveGlance(o: ObjectiveReport): ObjectiveGlance {
  const own = o.type === 'rate' ? rateGlance(o) : o.type === 'drift' ? driftGlance(o) : readingGlance(o);
  return { name: o.name, ...own, missing: o.missing, ...(o.reportOnly ? { reportOnly: true } : {}) };
}

type Own = Omit<ObjectiveGlance, 'name' | 'missing' | 'reportOnly'>;

function rateGlance(o: RateReport): Own {
  const n = Math.round(o.total);
  const of = { op: '<=' as const, n, logE: o.rollback.logE, standing: standing(o) };
  if (o.relative) return { unit: 'ratio', value: o.baseline?.ratio ?? null, limit: o.target, ...of };
  if (o.signal === 'errors') return { unit: 'share', value: o.rate, limit: o.p0, ...of };
  // Above the last bound there is no quantile, but a share of requests that are slower than the limit.
  if (o.rate !== null && (o.latency?.value == null || o.latency.bucket === null))
    return { unit: 'share', value: o.rate, limit: o.p0, ...of };
  return { unit: o.histogram?.unit ?? 'ms', value: o.latency?.value ?? null, limit: o.target, ...of };
}

function driftGlance(o: DriftReport): Own {
  return {
    unit: 'psi',
    value: o.value,
    limit: o.target,
    op: '<=',
    n: o.canaryTotal,
    logE: o.rollback.logE,
    standing: standing(o),
  };
}

function readingGlance({ last, rule, readings, against, met }: ReadingReport): Own {
  return {
    unit: '1',
    value: last,
    limit: rule.value,
    op: rule.op,
    n: readings,
    logE: null,
    standing: against ? 'against' : met ? 'met' : 'open',
  };
}

function standing({ rollback, promote }: RateReport | DriftReport): ObjectiveGlance['standing'] {
  if (rollback.against) return 'against';
  return promote.certified ? 'met' : 'open';
}

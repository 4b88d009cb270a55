import type { ArmReading, Observation } from '../observation.js';
import type { CustomObjective, Policy } from '../policy.js';
import { type QuantileQuestion, quantileQuestion } from '../quantile-name.js';
import { judgeVersionOf } from '../version.js';
import {
  type DriftObjective,
  driftCertified,
  driftLogEvidence,
  driftObjective,
  driftPointMeets,
  stepDrift,
} from './drift.js';
import { type RateObjective, type RateSpec, rateLogE, rateObjective, ratePointMeets, stepRate } from './rate.js';
import { rateCertified } from './rate-certificate.js';
import { type ReadingObjective, readingMet, readingObjective, stepReading } from './reading.js';

/** An objective judged by counts, with the scalar of the same meaning to fall back on when a source gives no counts. */
export interface CountedObjective {
  counted: RateObjective | DriftObjective;
  scalar: ReadingObjective | null;
  /** Only its name says that it may be counted: looks decide (`settleObjectives`). Left out where it has a key of its own. */
  named?: 'unsettled' | 'counted' | 'reading';
}

export interface Objectives {
  counted: CountedObjective[];
  custom: ReadingObjective[];
  /** Those of them that another judgement steps; null: none. */
  borrowed: ReadonlySet<object> | null;
}

const QUANTILES = { latency_p50_ms: 0.5, latency_p95_ms: 0.95, latency_p99_ms: 0.99 } as const;

/** Names of the scalars that may stand in for counts; sources use the same ones. */
export const STAND_INS = { errors: 'error_rate', drift: 'drift' } as const;

export function objectivesOf(policy: Policy, plannedTicks: number): Objectives {
  const counted: CountedObjective[] = [];
  const addRate = (spec: RateSpec, scalar: string | null) => {
    const standIn = scalar === null ? null : readingObjective({ name: scalar, op: '<=', value: spec.target });
    counted.push({ counted: rateObjective(spec, plannedTicks), scalar: standIn });
  };
  const { targets, relative } = policy;
  let limitMs: number | null = null;
  for (const [name, quantile] of Object.entries(QUANTILES) as [keyof typeof QUANTILES, number][]) {
    const target = targets[name];
    if (target === undefined) continue;
    if (limitMs === null || name === 'latency_p95_ms') limitMs = target;
    // 1 - 0.95 is not 0.05 in binary; the boundary must be the number one reads.
    const p0 = Number((1 - quantile).toPrecision(12));
    addRate({ name, signal: 'latency', target, p0, limitMs: target, ratio: null }, name);
  }
  if (targets.max_error_rate !== undefined) {
    const target = targets.max_error_rate;
    addRate({ name: 'error_rate', signal: 'errors', target, p0: target, limitMs: null, ratio: null }, STAND_INS.errors);
  }
  if (targets.max_drift !== undefined) {
    const scalar = readingObjective({ name: STAND_INS.drift, op: '<=', value: targets.max_drift });
    counted.push({ counted: driftObjective(targets.max_drift, plannedTicks), scalar });
  }
  if (relative.max_error_ratio !== undefined) {
    const ratio = relative.max_error_ratio;
    addRate({ name: 'error_ratio', signal: 'errors', target: ratio, p0: 0.5, limitMs: null, ratio }, null);
  }
  if (relative.max_slow_ratio !== undefined && limitMs !== null) {
    const ratio = relative.max_slow_ratio;
    addRate({ name: 'slow_ratio', signal: 'latency', target: ratio, p0: 0.05, limitMs, ratio }, null);
  }
  const custom: ReadingObjective[] = [];
  for (const rule of policy.objectives) {
    const question = judgeVersionOf(policy) === 1 ? null : quantileQuestion(rule);
    if (question === null) {
      custom.push(readingObjective(rule));
      continue;
    }
    // That of the requests is in milliseconds, and its objectives say so.
    const meant = question.histogram === 'latency' && question.unit === '1' ? `; write ${rule.name}_ms` : '';
    const neither = `no histogram named ${question.histogram}, nor a reading named ${rule.name}${meant}`;
    counted.push({
      counted: rateObjective(quantileSpec(rule, question), plannedTicks),
      scalar: { ...readingObjective(rule), absent: { state: 'absent', detail: neither } },
      named: 'unsettled',
    });
  }
  return { counted, custom, borrowed: null };
}

function quantileSpec(
  { name, value }: CustomObjective,
  { histogram, quantile, unit, strict }: QuantileQuestion,
): RateSpec {
  const p0 = Number((1 - quantile).toPrecision(12));
  const spec: RateSpec = { name, signal: 'latency', target: value, p0, limitMs: value, ratio: null };
  return histogram === 'latency' && unit === 'ms'
    ? spec
    : { ...spec, histogram: { name: histogram, unit, ...(strict ? { strict } : {}) } };
}

export function stepObjectives(objectives: Objectives, observation: Observation, gap: number, policy: Policy): void {
  const { borrowed } = objectives;
  for (const o of objectives.counted) {
    if (borrowed?.has(o)) continue;
    if (o.scalar) stepReading(o.scalar, observation, gap, policy);
    if (o.counted.type === 'rate') stepRate(o.counted, observation, policy);
    else stepDrift(o.counted, observation, policy);
  }
  for (const o of objectives.custom) if (!borrowed?.has(o)) stepReading(o, observation, gap, policy);
}

/** The end of an input is no look: what the last one lacked stands, and what it had is known to be all. */
export function endObjectives(objectives: Objectives): void {
  const each = [
    ...objectives.counted.flatMap((o) => [o.counted, ...(o.scalar ? [o.scalar] : [])]),
    ...objectives.custom,
  ];
  for (const { coverage } of each)
    if (coverage.missing === null || coverage.missing.state === 'first') coverage.missing = { state: 'ended' };
}

/**
 * Decides which objectives that are named like a quantile are counted (changes `objectives`): those whose histogram the
 * source lists, whatever its state; the others are readings from the first one on. A name without a unit (`tokens_p95`)
 * is a reading where there is one: the bounds of a histogram may be in another unit. Until then an objective takes part
 * in the mean with an e-value of 1; that the mean of fewer is taken afterwards makes no crossing that it would not make.
 */
export function settleObjectives(objectives: Objectives, observation: Observation): void {
  if (!objectives.counted.some(({ named }) => named === 'unsettled' || named === 'reading')) return;
  for (const o of objectives.counted) if (o.named === 'unsettled') o.named = settled(o, observation);
  const read = objectives.counted.filter((o) => o.named === 'reading');
  if (read.length === 0) return;
  objectives.counted = objectives.counted.filter((o) => o.named !== 'reading');
  const borrowed = new Set(objectives.borrowed);
  for (const o of read) {
    if (o.scalar === null) continue;
    objectives.custom.push(o.scalar);
    if (borrowed.has(o)) borrowed.add(o.scalar);
  }
  if (objectives.borrowed !== null) objectives.borrowed = borrowed;
}

function settled({ counted: o, scalar }: CountedObjective, found: Observation): NonNullable<CountedObjective['named']> {
  const { canary, baseline, scalars = {} } = found;
  const { name, unit } = (o.type === 'rate' ? o.spec.histogram : undefined) ?? { name: 'latency', unit: 'ms' };
  const isRead =
    scalar !== null && Object.hasOwn(scalars, scalar.rule.name) && scalars[scalar.rule.name]?.state === 'ok';
  if (isRead && unit === '1') return 'reading';
  if ([canary, baseline].some((arm) => arm !== undefined && hasHistogram(arm, name, unit))) return 'counted';
  return isRead ? 'reading' : 'unsettled';
}

function hasHistogram(arm: ArmReading, name: string, unit: string): boolean {
  return name === 'latency' && unit === 'ms' ? arm.latency !== undefined : Object.hasOwn(arm.histograms ?? {}, name);
}

/** The side of an objective that is judged: counts whenever there were any, else the scalar when there is one. */
export function active(o: CountedObjective): RateObjective | DriftObjective | ReadingObjective {
  if (o.named === 'unsettled' && o.scalar) return o.scalar;
  if (o.counted.coverage.lastAt !== null || !o.scalar?.coverage.hasData) return o.counted;
  return o.scalar;
}

export function activeObjectives(objectives: Objectives): (RateObjective | DriftObjective | ReadingObjective)[] {
  const all: (RateObjective | DriftObjective | ReadingObjective)[] = [];
  for (const o of objectives.counted) all.push(active(o));
  for (const o of objectives.custom) all.push(o);
  return all;
}

export type Objective = RateObjective | DriftObjective | ReadingObjective;

export function nameOf(o: Objective): string {
  if (o.type === 'rate') return o.spec.name;
  return o.type === 'drift' ? o.name : o.rule.name;
}

/** Log of the e-value against the objective; 0 (no evidence) for one without counts. */
export function logEvidence(o: Objective): number {
  if (o.type === 'rate') return rateLogE(o);
  return o.type === 'drift' ? driftLogEvidence(o) : 0;
}

/** Requests, or scores, that the canary had so far; null for readings, which have none. */
export function servedBy(o: Objective): number | null {
  if (o.type === 'rate') return o.canary.total;
  return o.type === 'drift' ? o.canary.reduce((sum, count) => sum + count, 0) : null;
}

export function certified(o: Objective, policy: Policy): boolean {
  if (o.type === 'rate') return rateCertified(o, policy);
  return o.type === 'drift' ? driftCertified(o, policy) : readingMet(o, policy);
}

export function pointMeets(o: Objective, policy: Policy): boolean {
  if (o.type === 'rate') return ratePointMeets(o);
  return o.type === 'drift' ? driftPointMeets(o) : readingMet(o, policy);
}

/** Share of `wholeMs` that the least covered objective has seen, 0..1. */
export function coverageOfWindow(objectives: Objective[], wholeMs: number): number {
  if (wholeMs <= 0) return 0;
  return Math.min(1, ...objectives.map((o) => o.coverage.coveredMs / wholeMs));
}

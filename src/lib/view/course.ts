import {
  type ArmReading,
  begin,
  type GlanceUnit,
  glanceOf,
  judge,
  type ObjectiveReport,
  type Observation,
  observe,
  type Policy,
  quantileWithBucket,
  type RateReport,
  report,
  rule,
  type Verdict,
} from '../judge/index.js';
import { observedBy } from '../stream/index.js';
import { amount } from './cell.js';

/** One check of an objective, for a chart. Null: there was no number, `state` says why. */
export interface Point {
  tick: number;
  /** Ms since the epoch. */
  t: number;
  canary: number | null;
  baseline: number | null;
  /** `ok`, or why the canary has no number. */
  state: string;
}

/** A confidence band over all checks so far. */
export interface Band {
  t: number;
  lower: number;
  upper: number;
}

/** An objective over time. */
export interface Series {
  name: string;
  unit: GlanceUnit;
  limit: number;
  points: Point[];
  /** Of a rate or drift; empty where the band is of another thing than the points (a share of slow requests). */
  bands: Band[];
  bandUnit: GlanceUnit;
}

export interface EvidenceAt {
  tick: number;
  t: number;
  logE: number;
}

export interface Course {
  series: Series[];
  evidence: EvidenceAt[];
  logThreshold: number;
}

/** Places at which bands are drawn; each costs a numerical search. */
const BANDS = 48;

/** What a canary's checks measured, and how the judge saw it at each of them. */
export function courseOf(policy: Policy, startedAt: number, observations: readonly Observation[]): Course {
  const j = begin(policy, startedAt);
  const every = Math.max(1, Math.ceil(observations.length / BANDS));
  const evidence: EvidenceAt[] = [];
  const bands = new Map<string, Band[]>();
  let newest: Verdict | null = null;
  for (const [i, observation] of observations.entries()) {
    observe(j, observation);
    const ruling = rule(j, observation.t);
    const last = i === observations.length - 1 || ruling.decision !== 'continue';
    const whole = last || i % every === 0;
    const verdict = report(j, ruling, observation.t, whole);
    newest = verdict;
    evidence.push({ tick: observation.tick, t: observation.t, logE: verdict.evidence.logE });
    if (whole) for (const o of verdict.objectives) addBand(bands, o, observation.t);
    if (ruling.decision !== 'continue') break;
  }
  newest ??= judge(policy, startedAt, []);
  const judged = observations.slice(0, evidence.length);
  return {
    series: newest.objectives.map((o) => seriesOf(o, newest, judged, bands.get(o.name) ?? [])),
    evidence,
    logThreshold: newest.evidence.logThreshold,
  };
}

function addBand(bands: Map<string, Band[]>, o: ObjectiveReport, t: number): void {
  if (o.type === 'reading' || o.bounds === null || (o.type === 'rate' && o.relative)) return;
  const band = bands.get(o.name) ?? [];
  band.push({ t, ...o.bounds });
  bands.set(o.name, band);
}

function seriesOf(o: ObjectiveReport, verdict: Verdict, observations: readonly Observation[], bands: Band[]): Series {
  const { unit, limit } = glanceOf({ ...verdict, objectives: [o] }).objectives[0]!;
  const latency = o.type === 'rate' && o.signal === 'latency';
  return {
    name: o.name,
    unit,
    limit,
    // The first look has no increments.
    points: observations.filter(({ tick }) => tick > 0).map((observation) => pointOf(o, unit, observation)),
    bands,
    bandUnit: latency ? 'share' : unit,
  };
}

function pointOf(o: ObjectiveReport, unit: GlanceUnit, observation: Observation): Point {
  const { tick, t, baseline } = observation;
  const of = (arm: 'canary' | 'baseline'): Value => numberOf(o, unit, observation, arm);
  const canary = of('canary');
  return {
    tick,
    t,
    canary: canary.value,
    baseline: baseline === undefined ? null : of('baseline').value,
    state: canary.state,
  };
}

interface Value {
  value: number | null;
  state: string;
}

function numberOf(o: ObjectiveReport, unit: GlanceUnit, observation: Observation, arm: 'canary' | 'baseline'): Value {
  if (o.type === 'reading') return arm === 'canary' ? reading(observation, o.name) : NONE;
  if (o.type === 'rate' && o.signal === 'latency' && unit !== 'ratio') return quantile(o, unit, observation[arm]);
  const all = observedBy(observation);
  const observed = arm === 'canary' ? all : all.baseline;
  if (observed === null) return NONE;
  const of = o.type === 'drift' ? 'drift' : o.signal === 'errors' ? 'error_rate' : 'latency_p95_ms';
  return { value: observed[of], state: observed.states[STATE_OF[of]] };
}

const NONE: Value = { value: null, state: 'not_asked' };
const STATE_OF = { drift: 'drift', error_rate: 'errors', latency_p95_ms: 'latency' } as const;

function reading({ scalars }: Observation, name: string): Value {
  const signal = scalars && Object.hasOwn(scalars, name) ? scalars[name] : undefined;
  if (signal === undefined) return { value: null, state: 'absent' };
  return signal.state === 'ok' ? { value: signal.value, state: 'ok' } : { value: null, state: signal.state };
}

/** The quantile of one check, or the share that is slower than the limit where no bucket says more. */
function quantile(o: RateReport, unit: GlanceUnit, arm: ArmReading | undefined): Value {
  const { histogram, latency } = o;
  const signal = histogram === undefined ? arm?.latency : own(arm?.histograms, histogram.name);
  if (signal === undefined) return NONE;
  if (signal.state !== 'ok') return { value: null, state: signal.state };
  if (unit === 'share' || latency === null) return { value: null, state: 'over_window' };
  const { value } = quantileWithBucket(latency.quantile, signal.bounds, signal.counts);
  return value === null ? { value: null, state: 'no_requests' } : { value: Number(value.toPrecision(6)), state: 'ok' };
}

function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A series as text, for a table behind a chart: time, canary, baseline. */
export function tableOf({ points, unit }: Series): { t: number; canary: string; baseline: string }[] {
  const text = (value: number | null, state: string) => (value === null ? state : amount(value, unit));
  return points.map(({ t, canary, baseline, state }) => ({
    t,
    canary: text(canary, state),
    baseline: text(baseline, ''),
  }));
}

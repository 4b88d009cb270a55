import {
  type ArmReading,
  begin,
  type GlanceUnit,
  glanceOf,
  type Judgement,
  judge,
  type ObjectiveGlance,
  type ObjectiveReport,
  type Observation,
  observe,
  type Policy,
  quantileWithBucket,
  type RateReport,
  type Ruling,
  report,
  rule,
  shownLogE,
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

/** Places at which bands are drawn, at most; each costs a numerical search. */
const MOST_BANDS = 96;

/** What a canary's checks measured, and how the judge saw it at each of them. */
export function courseOf(policy: Policy, startedAt: number, observations: readonly Observation[]): Course {
  const fold = new CanaryFold(policy, startedAt);
  for (const observation of observations) fold.take(observation);
  return fold.course();
}

/**
 * A canary judged check by check, so that whoever follows one judges each of its checks once: the verdict, and what charts
 * show, after any number of them. The checks must come in order; those after the one that decides are ignored.
 */
export class CanaryFold {
  readonly #judgement: Judgement;
  readonly #judged: Observation[] = [];
  readonly #evidence: EvidenceAt[] = [];
  readonly #points = new Map<string, { unit: GlanceUnit; points: Point[] }>();
  #bands: { tick: number; verdict: Verdict }[] = [];
  /** Each of so many checks has bands; it doubles when there are too many, so that the same checks always leave the same. */
  #stride = 1;
  #ruling: Ruling | null = null;
  /** As of the newest check that has bands. */
  #newest: readonly (readonly [ObjectiveReport, ObjectiveGlance])[] = [];

  constructor(
    readonly policy: Policy,
    readonly startedAt: number,
  ) {
    this.#judgement = begin(policy, startedAt);
  }

  /** How many checks have been judged. */
  get size(): number {
    return this.#judged.length;
  }

  get isDecided(): boolean {
    return this.#ruling !== null && this.#ruling.decision !== 'continue';
  }

  take(observation: Observation): void {
    if (this.isDecided) return;
    observe(this.#judgement, observation);
    const { tick, t } = observation;
    const ruling = rule(this.#judgement, t);
    this.#ruling = ruling;
    if (this.#judged.length % this.#stride === 0) this.#addBand(tick, report(this.#judgement, ruling, t));
    this.#judged.push(observation);
    // So that a chart of thousands of checks does not have to make all of its points at once.
    for (const [o, { unit }] of this.#newest) this.#pointsOf(o, unit);
    this.#evidence.push({ tick, t, logE: shownLogE(this.#judgement.logE) });
  }

  /** Of the check that decided, or as of the newest one. */
  verdict(): Verdict {
    const last = this.#judged.at(-1);
    if (last === undefined || this.#ruling === null) return judge(this.policy, this.startedAt, []);
    return report(this.#judgement, this.#ruling, last.t);
  }

  course(verdict = this.verdict()): Course {
    const newest = { tick: verdict.tick, verdict };
    const whole = this.#bands.at(-1)?.tick === verdict.tick ? this.#bands : [...this.#bands, newest];
    return {
      series: zipped(verdict).map(([o, shown]) => this.#series(o, shown, whole)),
      evidence: this.#evidence,
      logThreshold: verdict.evidence.logThreshold,
    };
  }

  #addBand(tick: number, verdict: Verdict): void {
    this.#newest = zipped(verdict);
    this.#bands.push({ tick, verdict });
    if (this.#bands.length < MOST_BANDS) return;
    this.#bands = this.#bands.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  #series(o: ObjectiveReport, { unit, limit }: ObjectiveGlance, bands: readonly { verdict: Verdict }[]): Series {
    const latency = o.type === 'rate' && o.signal === 'latency';
    return {
      name: o.name,
      unit,
      limit,
      points: this.#pointsOf(o, unit),
      bands: bands.flatMap((at) => bandOf(at.verdict, o.name)),
      bandUnit: latency ? 'share' : unit,
    };
  }

  #pointsOf(o: ObjectiveReport, unit: GlanceUnit): Point[] {
    const known = this.#points.get(o.name);
    const points = known?.unit === unit ? known.points : [];
    this.#points.set(o.name, { unit, points });
    // The first look has no increments.
    for (let i = points.length + 1; i < this.#judged.length; i++) points.push(pointOf(o, unit, this.#judged[i]!));
    return points;
  }
}

function zipped(verdict: Verdict): (readonly [ObjectiveReport, ObjectiveGlance])[] {
  const { objectives } = glanceOf(verdict);
  return verdict.objectives.map((o, i) => [o, objectives[i]!] as const);
}

function bandOf({ objectives, at }: Verdict, name: string): Band[] {
  const o = objectives.find((one) => one.name === name);
  if (o === undefined || o.type === 'reading' || o.bounds === null || (o.type === 'rate' && o.relative)) return [];
  return [{ t: at, ...o.bounds }];
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

/** A point as a row of text, for a table behind a chart: time, canary, baseline. */
export function rowOfPoint({ unit }: Pick<Series, 'unit'>, { t, canary, baseline, state }: Point) {
  const text = (value: number | null, missing: string) => (value === null ? missing : amount(value, unit));
  return { t, canary: text(canary, state), baseline: text(baseline, '') };
}

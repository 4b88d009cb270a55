import type { Decision, Observation, Policy, Reason } from '../../judge/index.js';
import { begin, confidenceSequence, type Judgement, observe, rule, shownLogE } from '../../judge/index.js';
import { driftObjective, driftReport, effectOf, type RateObjective, stepDrift } from '../../judge/objectives/index.js';
import { type Frame, Trace } from './trace.js';

/** Consecutive checks with the same ruling. */
export interface Run {
  fromTick: number;
  toTick: number;
  decision: Decision;
  reason: Reason;
  decidedBy: string | null;
}

/** A value with the bounds that hold at all checks together. */
export interface Estimate {
  value: number;
  lower: number;
  upper: number;
}

/** Bounds take a bisection each: more of them than this are not seen on a chart. */
const MOST_BOUNDS = 120;

/** A policy's evidence and rulings until it decides, judged again as the live judge does. */
export class JudgedCourse {
  readonly evidence: Trace;
  readonly runs: Run[] = [];
  /** Error rate so far with its confidence sequence; empty without a target for errors. */
  readonly errorRate: Trace;
  readonly errorBand: Trace;
  readonly threshold: number;
  readonly #judgement: Judgement;
  readonly #stride: number;
  #decided = false;
  #seen = 0;
  #at = Number.NEGATIVE_INFINITY;

  constructor(policy: Policy, startedAt: number, frame: Frame, count: number) {
    this.#judgement = begin(policy, startedAt);
    this.threshold = Math.log(1 / policy.alpha.rollback);
    this.evidence = new Trace(frame, count);
    this.#stride = strideOf(frame, count);
    const shown = Math.ceil(count / this.#stride);
    this.errorRate = new Trace(frame, shown);
    this.errorBand = new Trace(frame, shown);
  }

  /** @returns the log e-value after it; null once it is decided */
  take(observation: Observation): number | null {
    const j = this.#judgement;
    observe(j, observation);
    this.#estimate(observation);
    if (this.#decided) return null;
    const logE = shownLogE(j.logE);
    // Evidence is carried through a gap: it is what is known, not what was measured.
    this.evidence.add({ from: Math.min(observation.from, this.#at), t: observation.t }, logE);
    this.#at = observation.t;
    this.#note(observation);
    return logE;
  }

  #note({ tick, t }: Observation): void {
    const { decision, reason, decidedBy } = rule(this.#judgement, t);
    this.#decided = decision !== 'continue';
    const run = this.runs.at(-1);
    if (run?.decision === decision && run.reason === reason && run.decidedBy === decidedBy) run.toTick = tick;
    else this.runs.push({ fromTick: tick, toTick: tick, decision, reason, decidedBy });
  }

  #estimate(observation: Observation): void {
    const rate = this.#errorObjective();
    if (rate === null || rate.canary.total <= 0) return;
    if (rate.coverage.missing !== null) {
      this.errorRate.gap(observation);
      this.errorBand.gap(observation);
      return;
    }
    if (this.#seen++ % this.#stride !== 0) {
      this.errorRate.carry(observation);
      this.errorBand.carry(observation);
      return;
    }
    const { policy } = this.#judgement;
    const { bad, possiblyBad, total } = rate.canary;
    const { effect } = effectOf(rate, policy);
    const lower = confidenceSequence(bad / effect, total / effect, policy.alpha.rollback).lower;
    const upper = confidenceSequence(possiblyBad / effect, total / effect, policy.alpha.promote).upper;
    this.errorRate.add(observation, rate.canary.bad / rate.canary.total);
    this.errorBand.add(observation, lower, upper);
  }

  #errorObjective(): RateObjective | null {
    for (const { counted } of this.#judgement.objectives.counted) {
      if (counted.type === 'rate' && counted.spec.name === 'error_rate') return counted;
    }
    return null;
  }
}

/** Drift of the scores so far, whether or not a policy limits it. */
export class DriftCourse {
  readonly value: Trace;
  readonly band: Trace;
  /** After the newest observation; null without data or with too little. */
  estimate: Estimate | null = null;
  readonly #objective;
  readonly #stride: number;
  #seen = 0;

  constructor(
    readonly policy: Policy,
    frame: Frame,
    count: number,
  ) {
    const planned = Math.max(1, Math.ceil(policy.maxWindowSeconds / policy.intervalSeconds));
    // The estimate and its bounds are the same whatever the target is.
    this.#objective = driftObjective(policy.targets.max_drift ?? 1, planned);
    this.#stride = strideOf(frame, count);
    const shown = Math.ceil(count / this.#stride);
    this.value = new Trace(frame, shown);
    this.band = new Trace(frame, shown);
  }

  /** @param wanted ask for the estimate at this observation, shown or not */
  take(observation: Observation, wanted: boolean): void {
    const o = this.#objective;
    stepDrift(o, observation, this.policy);
    this.estimate = null;
    if (o.coverage.missing !== null || o.value === null) {
      this.value.gap(observation);
      this.band.gap(observation);
      return;
    }
    const shown = this.#seen++ % this.#stride === 0;
    if (shown || wanted) this.estimate = estimateOf(driftReport(o, this.policy, observation.tick));
    if (!shown || this.estimate === null) {
      this.value.carry(observation);
      this.band.carry(observation);
      return;
    }
    const { value, lower, upper } = this.estimate;
    this.value.add(observation, value);
    this.band.add(observation, lower, upper);
  }
}

function estimateOf({ value, bounds }: ReturnType<typeof driftReport>): Estimate | null {
  return value === null || bounds === null
    ? null
    : { value: Math.max(0, value), lower: Math.max(0, bounds.lower), upper: bounds.upper };
}

function strideOf({ columns }: Frame, count: number): number {
  return Math.max(1, Math.ceil(count / Math.min(columns, MOST_BOUNDS)));
}

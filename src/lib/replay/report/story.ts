import { count, milliseconds, percent, seconds } from '../../explain/index.js';
import {
  type ArmReading,
  type HistogramSignal,
  MISSING_STATES,
  type Missing,
  type Observation,
  quantileWithBucket,
} from '../../judge/index.js';
import type { CanaryReplay } from '../result.js';
import { DriftCourse, JudgedCourse } from './course.js';
import { type Frame, Trace } from './trace.js';

/** Quantiles that a policy can limit, by the name of the target. */
export const QUANTILES = { latency_p50_ms: 0.5, latency_p95_ms: 0.95, latency_p99_ms: 0.99 } as const;
export type LatencyTarget = keyof typeof QUANTILES;

const MOST_READINGS = 8;

/** One check as the tables behind the charts show it, in words. */
export interface Row {
  check: string;
  errors: [string, string];
  latency: Partial<Record<LatencyTarget, [string, string]>>;
  drift: string;
  readings: Record<string, string>;
  evidence: [string, string];
}

interface Arms {
  canary: Trace;
  baseline: Trace;
}

/** All that the charts of one canary show, from its observations in one pass. */
export interface Story {
  frame: Frame;
  errors: Arms;
  latency: Map<LatencyTarget, Arms>;
  readings: Map<string, Trace>;
  drift: DriftCourse;
  /** Null when it was not judged by the original policy, or that policy is not known. */
  original: JudgedCourse | null;
  counterfactual: JudgedCourse | null;
  rows: Row[];
  checks: number;
}

export interface Detail {
  columns: number;
  /** Rows of a table behind a chart. */
  rows: number;
}

export function storyOf(canary: CanaryReplay, observations: readonly Observation[], detail: Detail): Story {
  const { startedAt, original, counterfactual } = canary;
  const frame = frameOf(canary, observations, detail.columns);
  const size = observations.length;
  const traces = (): Arms => ({ canary: new Trace(frame, size), baseline: new Trace(frame, size) });
  const course = ({ policy, verdict }: CanaryReplay['original']) =>
    verdict === null ? null : new JudgedCourse(policy, startedAt, frame, size);
  const story: Story = {
    frame,
    errors: traces(),
    latency: new Map(quantilesOf(canary).map((target) => [target, traces()])),
    readings: new Map(readingNames(observations).map((name) => [name, new Trace(frame, size)])),
    drift: new DriftCourse(counterfactual.policy, frame, size),
    original: original.policyDigest === counterfactual.policyDigest ? null : course(original),
    counterfactual: course(counterfactual),
    rows: [],
    checks: size,
  };
  const isShown = shownChecks(size, detail.rows, ticksThatMatter(canary));
  for (const [i, observation] of observations.entries()) {
    const wanted = isShown(i, observation.tick);
    draw(story, observation);
    story.drift.take(observation, wanted);
    const before = story.original?.take(observation) ?? null;
    const after = story.counterfactual?.take(observation) ?? null;
    if (wanted) story.rows.push(rowOf(story, observation, startedAt, [evidence(before), evidence(after)]));
  }
  return story;
}

function frameOf(canary: CanaryReplay, observations: readonly Observation[], columns: number): Frame {
  const { startedAt, original, counterfactual } = canary;
  const ends = [observations.at(-1)?.t, original.verdict?.at, counterfactual.verdict?.at];
  const to = Math.max(startedAt + 1000, ...ends.map((end) => end ?? startedAt));
  return { from: startedAt, to, columns, most: 2 * columns };
}

/** p95 always, and what either policy limits. */
function quantilesOf({ original, counterfactual }: CanaryReplay): LatencyTarget[] {
  const limits = { ...original.policy.targets, ...counterfactual.policy.targets };
  const names = Object.keys(QUANTILES) as LatencyTarget[];
  const limited = names.filter((name) => limits[name] !== undefined);
  return limited.length > 0 ? limited : ['latency_p95_ms'];
}

function readingNames(observations: readonly Observation[]): string[] {
  const names = new Set<string>();
  for (const { scalars } of observations) {
    for (const name in scalars) if (Object.hasOwn(scalars, name)) names.add(name);
  }
  return [...names].sort().slice(0, MOST_READINGS);
}

function ticksThatMatter({ original, counterfactual }: CanaryReplay): Set<number> {
  return new Set([original, counterfactual].flatMap(({ verdict }) => verdict?.tick ?? []));
}

/** Every n-th check, the last one, and those with a decision. */
function shownChecks(size: number, most: number, ticks: ReadonlySet<number>): (i: number, tick: number) => boolean {
  const stride = Math.max(1, Math.ceil(size / most));
  return (i, tick) => i % stride === 0 || i === size - 1 || ticks.has(tick);
}

function draw(story: Story, observation: Observation): void {
  for (const arm of ['canary', 'baseline'] as const) {
    const reading = observation[arm];
    const errors = story.errors[arm];
    const signal = reading?.errors;
    if (signal?.state === 'ok' && signal.total > 0) errors.add(observation, Math.min(1, signal.bad / signal.total));
    else errors.gap(observation);
    for (const [target, traces] of story.latency) {
      const bucket = bucketOf(reading?.latency, QUANTILES[target]);
      if (bucket) traces[arm].add(observation, bucket.lower, bucket.upper);
      else traces[arm].gap(observation);
    }
  }
  for (const [name, trace] of story.readings) {
    const signal = observation.scalars?.[name];
    if (signal?.state === 'ok') trace.add(observation, signal.value);
    else trace.gap(observation);
  }
}

/** Bounds of the quantile's bucket, never interpolated; Infinity above every bound. */
function bucketOf(signal: HistogramSignal | undefined, q: number): { lower: number; upper: number } | null {
  if (signal?.state !== 'ok') return null;
  const { value, lower, upper } = quantileWithBucket(q, signal.bounds, signal.counts);
  return value === null ? null : { lower: lower ?? 0, upper: upper ?? Number.POSITIVE_INFINITY };
}

function rowOf(story: Story, o: Observation, startedAt: number, evidence: [string, string]): Row {
  const estimate = story.drift.estimate;
  const latency = [...story.latency.keys()].map((target): [LatencyTarget, [string, string]] => {
    const q = QUANTILES[target];
    return [target, [latencyWords(o.canary, q), latencyWords(o.baseline, q)]];
  });
  const readings = [...story.readings.keys()].map((name): [string, string] => {
    const signal = o.scalars?.[name];
    return [name, signal?.state === 'ok' ? String(signal.value) : missingWords(signal)];
  });
  return {
    check: `${o.tick} (${seconds(Math.max(0, o.t - startedAt) / 1000)})`,
    errors: [errorWords(o.canary), errorWords(o.baseline)],
    latency: Object.fromEntries(latency),
    drift: estimate
      ? `${estimate.value.toFixed(4)} (${estimate.lower.toFixed(4)} to ${estimate.upper.toFixed(4)})`
      : driftMissing(o),
    readings: Object.fromEntries(readings),
    evidence,
  };
}

function driftMissing({ canary, baseline }: Observation): string {
  const [own, other] = [canary.score ?? canary.categories, baseline?.score ?? baseline?.categories];
  const missing = [own, other].find((signal) => signal?.state !== 'ok');
  return own?.state === 'ok' && other?.state === 'ok' ? 'too few scores' : missingWords(missing);
}

function errorWords(arm: ArmReading | undefined): string {
  const signal = arm?.errors;
  if (signal?.state !== 'ok') return missingWords(signal);
  if (signal.total <= 0) return 'no requests';
  return `${count(signal.bad)} of ${count(signal.total)} (${percent(Math.min(1, signal.bad / signal.total))})`;
}

function latencyWords(arm: ArmReading | undefined, q: number): string {
  if (arm?.latency?.state !== 'ok') return missingWords(arm?.latency);
  const bucket = bucketOf(arm.latency, q);
  if (bucket === null) return 'no requests';
  if (bucket.upper === Number.POSITIVE_INFINITY) return `above ${milliseconds(bucket.lower)}`;
  return `${milliseconds(bucket.lower)} to ${milliseconds(bucket.upper)}`;
}

/** A state is shown as the state it is. */
function missingWords(signal: { state: string } | Missing | undefined): string {
  const state = MISSING_STATES.find((known) => known === signal?.state);
  if (state === undefined) return 'not measured';
  return state === 'first' ? 'starting point' : `no data: ${state}`;
}

function evidence(logE: number | null): string {
  return logE === null ? '–' : logE.toFixed(3);
}

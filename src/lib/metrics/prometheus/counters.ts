import type { ArmReading, CountSignal, HistogramSignal, Missing } from '../../judge/index.js';
import { type ArmCursor, armReading } from '../counters.js';
import { sumHistograms } from '../counting/index.js';
import type { Labels, Series } from '../labels.js';
import { showSelector } from '../promql/index.js';
import type { ApiSeries, RawSample } from './api.js';
import { type ArmSeries, belongsTo, type CounterPlan } from './plan.js';

/** One series with the samples that the range holds, oldest first; numbers are read when they are needed. */
interface Track {
  name: string;
  labels: Labels;
  samples: readonly RawSample[];
}

export interface ArmLook {
  reading: ArmReading;
  cursor: ArmCursor;
  notes: string[];
}

const SKEW_MS = 60_000;

/**
 * Increments of one arm out of raw samples. The newest sample of each series counts; the earlier ones since the last
 * look are walked through where a series fell in between, so that a restart between two looks is seen.
 * @param at when the look was taken, and `staleBefore`, milliseconds since the epoch
 * @param reach the range asked for, milliseconds
 */
export function countArm(
  parts: readonly ArmSeries[],
  answers: readonly (readonly ApiSeries[])[],
  plan: CounterPlan,
  previous: ArmCursor | null,
  look: { at: number; staleBefore: number; reach: number },
): ArmLook {
  const tracks = parts.flatMap((part) =>
    answers[part.query]!.filter((series) => belongsTo(part.selector, series)).map((series) => trackOf(part, series)),
  );
  const newest = tracks.reduce((latest, { samples }) => Math.max(latest, timeOf(samples.at(-1))), 0);
  const steps = previous === null || newest < look.staleBefore ? [] : stepsWithin(tracks, previous, plan, look);
  const looks: ArmLook[] = [];
  for (const until of [...steps, Number.POSITIVE_INFINITY]) {
    const series = tracks.flatMap((track) => sampleAt(track, until));
    const samples = until === Infinity ? { series, ...look } : { series, at: look.at };
    looks.push(armReading(samples, looks.at(-1)?.cursor ?? previous, plan.names));
  }
  const notes = new Set(looks.flatMap((one) => one.notes));
  if (newest > look.at + SKEW_MS)
    notes.add(`clock skew: newest sample is ${Math.round((newest - look.at) / 1000)} s ahead of this clock`);
  const reading = wantedSignals(sumReadings(looks.map((one) => one.reading)), plan, parts);
  return { reading, cursor: looks.at(-1)!.cursor, notes: [...notes] };
}

function trackOf({ as, boundScale }: ArmSeries, { metric, values = [] }: ApiSeries): Track {
  const { __name__: _, ...labels } = metric;
  const le = Number(labels['le']);
  if (boundScale !== 1 && Number.isFinite(le)) labels['le'] = String(Number((le * boundScale).toPrecision(12)));
  return { name: as, labels, samples: values };
}

/** Milliseconds since the epoch; 0 for none. */
function timeOf(sample: RawSample | undefined): number {
  return sample ? Math.round(sample[0] * 1000) : 0;
}

/** Prometheus writes +Inf and -Inf; anything else that is no number is NaN, which is invalid further on. */
export function numberOf(text: string): number {
  if (text === '+Inf' || text === '-Inf') return text === '+Inf' ? Infinity : -Infinity;
  return text === '' ? Number.NaN : Number(text);
}

/** Newest sample of each signal at the last look, milliseconds since the epoch. */
export function newestTimes({ newest }: ArmCursor): number[] {
  return Object.values(newest).filter((t) => t !== undefined);
}

function sampleAt({ name, labels, samples }: Track, until: number): Series[] {
  const sample = samples.findLast((one) => timeOf(one) <= until);
  return sample ? [{ name, labels, value: numberOf(sample[1]), t: timeOf(sample) }] : [];
}

/**
 * Times at which to look in between: before and after each fall. When the range does not reach back to the previous
 * look, the first new sample of each series too, as it may lie below the value known from then.
 */
function stepsWithin(
  tracks: readonly Track[],
  previous: ArmCursor,
  plan: CounterPlan,
  { at, reach }: { at: number; reach: number },
): number[] {
  const seen = Math.max(...newestTimes(previous), 0);
  const gap = at - reach > seen;
  const steps = new Set<number>();
  for (const { name, samples } of tracks) {
    if (name === plan.names.inflight) continue;
    for (let i = samples.length - 1; i >= 0 && timeOf(samples[i]) > seen; i--) {
      const before = samples[i - 1];
      const falls = before !== undefined && numberOf(samples[i]![1]) < numberOf(before[1]);
      if (falls && timeOf(before) > seen) steps.add(timeOf(before));
      if (falls || (gap && before === undefined)) steps.add(timeOf(samples[i]));
    }
  }
  return [...steps].sort((a, b) => a - b);
}

function sumReadings(readings: readonly ArmReading[]): ArmReading {
  const last = readings.at(-1)!;
  if (readings.length === 1) return last;
  const sum: ArmReading = { ...last };
  if (last.errors) sum.errors = sumCounts(readings.map(({ errors }) => errors ?? last.errors!));
  if (last.latency) sum.latency = sumBuckets(readings.map(({ latency }) => latency ?? last.latency!));
  if (last.score) sum.score = sumBuckets(readings.map(({ score }) => score ?? last.score!));
  const resets = readings.reduce((all, reading) => all + (reading.resets ?? 0), 0);
  if (resets > 0) sum.resets = resets;
  return sum;
}

function sumCounts(signals: readonly CountSignal[]): CountSignal {
  const counted = signals.filter((signal) => signal.state === 'ok');
  if (counted.length === 0) return signals.at(-1)!;
  const total = counted.reduce((all, signal) => all + signal.total, 0);
  return { state: 'ok', bad: counted.reduce((all, signal) => all + signal.bad, 0), total };
}

function sumBuckets(signals: readonly HistogramSignal[]): HistogramSignal {
  const counted = signals.filter((signal) => signal.state === 'ok');
  if (counted.length === 0) return signals.at(-1)!;
  const merged = sumHistograms(counted);
  if (merged === null) return { state: 'invalid', detail: 'the bucket bounds changed with a restart, none in common' };
  return { state: 'ok', ...merged.sum };
}

/** Leaves out what has no counters, and says of what is absent with which labels it was looked for. */
function wantedSignals(reading: ArmReading, { signals }: CounterPlan, parts: readonly ArmSeries[]): ArmReading {
  const { errors, latency, score, ...rest } = reading;
  const wanted: ArmReading = rest;
  if (errors && signals.has('errors')) wanted.errors = located(errors, parts);
  if (latency && signals.has('latency')) wanted.latency = located(latency, parts);
  if (score && signals.has('score')) wanted.score = located(score, parts);
  return wanted;
}

function located<Signal extends CountSignal | HistogramSignal>(
  signal: Signal,
  parts: readonly ArmSeries[],
): Signal | Missing {
  if (signal.state !== 'absent') return signal;
  const part = parts.find(
    ({ as }) => signal.detail === `no series ${as}` || signal.detail?.startsWith(`no series ${as}{`),
  );
  if (!part) return signal;
  const extra = signal.detail!.slice(`no series ${part.as}`.length);
  const also = extra === '' ? '' : ` with ${extra}`;
  return { state: 'absent', detail: `no series ${showSelector(part.selector)}${also}` };
}

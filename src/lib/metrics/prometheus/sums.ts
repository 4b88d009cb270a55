import type { ArmReading, CategorySignal, CountSignal, HistogramSignal, LeftOut } from '../../judge/index.js';
import { sumHistograms } from '../counting/index.js';

type Signal = CountSignal | HistogramSignal | CategorySignal;

/** What was counted between several times of one look, as one reading. States of now (inflight, targets) are those of the last. */
export function sumReadings(readings: readonly ArmReading[]): ArmReading {
  const last = readings.at(-1)!;
  if (readings.length === 1) return last;
  const sum: ArmReading = { ...last };
  // What was held back has the signals alone that waited.
  if (last.errors)
    sum.errors = summed(
      each(readings, ({ errors }) => errors),
      addCounts,
    );
  if (last.latency)
    sum.latency = summed(
      each(readings, ({ latency }) => latency),
      addBuckets,
    );
  if (last.score)
    sum.score = summed(
      each(readings, ({ score }) => score),
      addBuckets,
    );
  if (last.categories)
    sum.categories = summed(
      each(readings, ({ categories }) => categories),
      addCategories,
    );
  if (last.histograms) {
    const names = Object.keys(last.histograms).map((name) => {
      const all = each(readings, ({ histograms }) => histograms?.[name]);
      return [name, summed(all, addBuckets)] as const;
    });
    sum.histograms = Object.fromEntries(names);
  }
  for (const count of ['resets', 'restarts'] as const) {
    const told = readings.flatMap((reading) => reading[count] ?? []);
    if (told.length > 0) sum[count] = told.reduce((total, each) => total + each, 0);
  }
  const leftOut = sumLeftOut(readings, sum);
  if (leftOut !== null) sum.leftOut = leftOut;
  return sum;
}

function each<S>(readings: readonly ArmReading[], signal: (reading: ArmReading) => S | undefined): S[] {
  return readings.flatMap((reading) => signal(reading) ?? []);
}

/** What was left out at any time; and what was counted at others, where it is `implausible` with them. */
function sumLeftOut(readings: readonly ArmReading[], sum: ArmReading): LeftOut | null {
  const left: LeftOut = {};
  const errors = readings.flatMap((reading): Ok<CountSignal>[] => [
    ...(reading.leftOut?.errors ? [{ state: 'ok' as const, ...reading.leftOut.errors }] : []),
    ...(sum.errors?.state === 'implausible' && reading.errors?.state === 'ok' ? [reading.errors] : []),
  ]);
  const counted = errors.length === 0 ? null : addCounts(errors);
  if (counted?.state === 'ok') left.errors = { bad: counted.bad, total: counted.total };
  const named = ({ latency, histograms }: ArmReading): Record<string, HistogramSignal> => ({
    ...histograms,
    ...(latency ? { latency } : {}),
  });
  const names = new Set(
    readings.flatMap((reading) => Object.keys({ ...named(reading), ...reading.leftOut?.histograms })),
  );
  for (const name of names) {
    const parts = readings.flatMap((reading): { bounds: number[]; counts: number[] }[] => {
      const own = reading.leftOut?.histograms?.[name];
      const signal = named(reading)[name];
      const isIn = named(sum)[name]?.state === 'implausible' && signal?.state === 'ok';
      return [...(own ? [own] : []), ...(isIn ? [signal] : [])];
    });
    const merged = sumHistograms(parts);
    if (merged !== null) left.histograms = { ...left.histograms, [name]: merged.sum };
  }
  return Object.keys(left).length === 0 ? null : left;
}

type Ok<S extends Signal> = Extract<S, { state: 'ok' }>;

/**
 * What cannot be told at the end puts in doubt what was counted before: two processes that answer in turn look like one that
 * serves much, until it falls. What could not be told in between and can be now is in what followed.
 */
function summed<S extends Signal>(signals: readonly S[], add: (counted: readonly Ok<S>[]) => S): S {
  const impossible = signals.findLast(({ state }) => state === 'implausible');
  if (impossible !== undefined) return impossible;
  const last = signals.findLast(({ state }) => state !== 'unchanged');
  if (last?.state === 'unstable') return last;
  const counted = signals.filter((signal): signal is Ok<S> => signal.state === 'ok');
  if (counted.length > 0) return add(counted);
  return signals.findLast(({ state }) => state === 'unstable') ?? signals.at(-1)!;
}

/** Of the signals that cannot be told at the end: what was counted before. Null for none. */
export function heldBack(readings: readonly ArmReading[]): ArmReading | null {
  const last = readings.at(-1)!;
  const before = readings.slice(0, -1);
  if (before.length === 0) return null;
  const sum = sumReadings(before);
  const held: ArmReading = {};
  const waits = (now: Signal | undefined, then: Signal | undefined): boolean =>
    now?.state === 'unstable' && then?.state === 'ok';
  if (waits(last.errors, sum.errors)) held.errors = sum.errors!;
  if (waits(last.latency, sum.latency)) held.latency = sum.latency!;
  if (waits(last.score, sum.score)) held.score = sum.score!;
  if (waits(last.categories, sum.categories)) held.categories = sum.categories!;
  const others = Object.entries(sum.histograms ?? {}).filter(([name, one]) => waits(last.histograms?.[name], one));
  if (others.length > 0) held.histograms = Object.fromEntries(others);
  return Object.keys(held).length === 0 ? null : held;
}

function addCounts(counted: readonly Ok<CountSignal>[]): CountSignal {
  const total = counted.reduce((all, signal) => all + signal.total, 0);
  return { state: 'ok', bad: counted.reduce((all, signal) => all + signal.bad, 0), total };
}

function addBuckets(counted: readonly Ok<HistogramSignal>[]): HistogramSignal {
  const merged = sumHistograms(counted);
  if (merged === null) return { state: 'invalid', detail: 'the bucket bounds changed with a restart, none in common' };
  return { state: 'ok', ...merged.sum };
}

function addCategories(counted: readonly Ok<CategorySignal>[]): CategorySignal {
  const counts: Record<string, number> = {};
  for (const one of counted) {
    for (const [name, count] of Object.entries(one.counts)) counts[name] = (counts[name] ?? 0) + count;
  }
  return { state: 'ok', counts };
}

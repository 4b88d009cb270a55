import type { Line, ProcessCursor } from './cursor.js';
import { type HistogramTotals, isNoise } from './histogram.js';
import type { Plan } from './plan.js';
import { histogramKey, type ProcessLook } from './processes.js';

export interface Fall {
  name: string;
  from: number;
  to: number;
}

/** How the counters of a process stand beside an earlier time. */
export interface Comparison {
  /** The deepest fall; null: nothing is lower than before. */
  fell: Fall | null;
  /** The most that one rose. */
  rise: number;
  /** Whether all that fell are at most half of what they were, or a tenth. */
  halved: boolean;
  decimated: boolean;
  /** The highest that any stands at now. */
  highest: number;
}

/** Compares what both have; series that were created anew since then are not the same any more. */
export function compare(line: Line & Pick<ProcessCursor, 'created'>, look: ProcessLook, plan: Plan): Comparison {
  const { created } = line;
  const found: Comparison = { fell: null, rise: 0, halved: true, decimated: true, highest: 0 };
  const one = (name: () => string, from: number, to: number): void => {
    if (to > found.highest) found.highest = to;
    if (to - from > found.rise) found.rise = to - from;
    if (to >= from || isNoise(from, to)) return;
    if (found.fell === null || from - to > found.fell.from - found.fell.to) found.fell = { name: name(), from, to };
    if (to > from / 2) found.halved = false;
    if (to > from / 10) found.decimated = false;
  };
  for (const [key, { sample, good }] of look.series) {
    const from = line.series[key];
    if (good && typeof from === 'number' && !createdAnew(created, look, key)) one(() => key, from, sample.value);
  }
  plan.histograms.forEach(({ signal, source }, i) => {
    const now = look.histograms[i]!;
    const before = line.histograms[signal];
    if (!(now instanceof Map) || !before) return;
    for (const [key, totals] of now) {
      const from = before[key];
      if (from !== undefined && !createdAnew(created, look, histogramKey(signal, key)))
        compareTotals(() => `${source.name}${key}`, from, totals, one);
    }
  });
  return found;
}

function compareTotals(
  name: () => string,
  before: HistogramTotals,
  now: HistogramTotals,
  one: (name: () => string, from: number, to: number) => void,
): void {
  if (!sameBounds(now, before)) {
    one(() => `${name()}, which has other buckets now,`, before.totals.at(-1)!, 0);
    return;
  }
  now.totals.forEach((total, i) => {
    one(() => `${name()} at or below ${now.bounds[i] ?? '+Inf'}`, before.totals[i]!, total);
  });
}

export function sameBounds(a: HistogramTotals, b: HistogramTotals): boolean {
  return a.bounds.length === b.bounds.length && a.bounds.every((bound, i) => bound === b.bounds[i]);
}

/** Whether something of `line` is lower in `low`. */
export function isBelow(low: Line, line: Line): boolean {
  for (const [key, value] of Object.entries(line.series)) {
    const now = low.series[key];
    if (typeof value === 'number' && typeof now === 'number' && now < value) return true;
  }
  for (const [signal, all] of Object.entries(line.histograms)) {
    for (const [key, { totals }] of Object.entries(all ?? {})) {
      const now = low.histograms[signal]?.[key];
      if (now?.totals.some((total, i) => total < (totals[i] ?? 0))) return true;
    }
  }
  return false;
}

/** The highest total that a look shows. */
export function highestNow(look: ProcessLook): number {
  let highest = 0;
  for (const { sample, good } of look.series.values()) if (good) highest = Math.max(highest, sample.value);
  for (const found of look.histograms) {
    if (!(found instanceof Map)) continue;
    for (const { totals } of found.values()) highest = Math.max(highest, totals.at(-1)!);
  }
  return highest;
}

/** The highest total of all. */
export function highestOf({ series, histograms }: Line): number {
  let highest = 0;
  for (const value of Object.values(series)) highest = Math.max(highest, value ?? 0);
  for (const all of Object.values(histograms))
    for (const { totals } of Object.values(all ?? {})) highest = Math.max(highest, totals.at(-1)!);
  return highest;
}

/** Keys of the series and histograms that `line` has and a look does not show. */
export function hiddenAt(look: ProcessLook, line: Line, plan: Plan): string[] {
  const hidden = Object.keys(line.series).filter((key) => !look.series.has(key));
  plan.histograms.forEach(({ signal }, i) => {
    const found = look.histograms[i]!;
    if (!(found instanceof Map)) return;
    for (const key in line.histograms[signal]) if (!found.has(key)) hidden.push(histogramKey(signal, key));
  });
  return hidden;
}

/**
 * Where counters fell: keys of those that count on, because the process began anew earlier, while all that fell were away,
 * and these were counted since. Empty where it began anew since the last look, as far as that shows.
 */
export function countingOn(before: ProcessCursor, look: ProcessLook, plan: Plan): string[] {
  const away = new Set(before.away);
  if (away.size === 0) return [];
  const on: string[] = [];
  let isNow = false;
  const one = (key: string, fell: boolean): void => {
    if (fell) isNow ||= !away.has(key);
    else if (!away.has(key)) on.push(key);
  };
  for (const [key, { sample, good }] of look.series) {
    const from = before.series[key];
    if (good && typeof from === 'number') one(key, sample.value < from);
  }
  plan.histograms.forEach(({ signal }, i) => {
    const found = look.histograms[i]!;
    if (!(found instanceof Map)) return;
    for (const [key, now] of found) {
      const from = before.histograms[signal]?.[key];
      if (from === undefined) continue;
      one(histogramKey(signal, key), !sameBounds(now, from) || now.totals.some((total, j) => total < from.totals[j]!));
    }
  });
  return isNow ? [] : on;
}

const CREATED_NOISE_MS = 1000;

/** Whether a series has been created again since the last look. */
export function createdAnew(created: ProcessCursor['created'], look: ProcessLook, key: string): boolean {
  const [before, now] = [created?.[key], look.created.get(key)];
  return now !== undefined && before !== undefined && now > before + CREATED_NOISE_MS;
}

/** Creation times beside those of the last look: of series of the same process they stay. */
export function compareCreated(
  created: ProcessCursor['created'],
  look: ProcessLook,
): 'same' | 'anew' | 'older' | 'mixed' {
  let [anew, older, same] = [0, 0, 0];
  for (const [key, now] of look.created) {
    const before = created?.[key];
    if (before === undefined) continue;
    if (now > before + CREATED_NOISE_MS) anew += 1;
    else if (now < before - CREATED_NOISE_MS) older += 1;
    else same += 1;
  }
  if (anew + older === 0) return 'same';
  if (same > 0) return 'mixed';
  return older > 0 ? 'older' : 'anew';
}

import type { Missing } from '../../judge/index.js';
import { showLabels } from '../labels.js';
import type { Sample } from '../signals/index.js';

/** Cumulative totals of one classic histogram: `totals[i]` at or below `bounds[i]`, the last one of everything. */
export interface HistogramTotals {
  bounds: number[];
  totals: number[];
}

/** Increments of one or more histograms, not cumulative over buckets. */
export interface Increments {
  bounds: number[];
  counts: number[];
}

type Buckets = { byBound: Map<number, number>; count?: number };

/**
 * Groups `NAME_bucket` samples (and `NAME_count`, where a histogram has no +Inf bucket) into histograms by their labels
 * without `le`. Bounds are multiplied by `scale`.
 * @returns histograms by label key, empty when there is none; `invalid` for what is no histogram.
 */
export function readHistograms(
  name: string,
  series: readonly Sample[],
  scale: number,
): Map<string, HistogramTotals> | Missing {
  const groups = new Map<string, Buckets>();
  for (const sample of series) {
    const problem = collect(name, sample, scale, groups);
    if (problem !== null) return { state: 'invalid', detail: problem };
  }
  const histograms = new Map<string, HistogramTotals>();
  for (const [key, buckets] of groups) {
    if (buckets.byBound.size === 0) continue;
    const totals = cumulate(`${name}${key}`, buckets);
    if (typeof totals === 'string') return { state: 'invalid', detail: totals };
    histograms.set(key, totals);
  }
  return histograms;
}

/** @returns in words why a sample is no count one can add up: negative, NaN, or too large for a sum to be exact. */
export function countProblem(value: number): string | null {
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return null;
  return Number.isFinite(value) && value > 0 ? `${value}, too large for a count` : String(value);
}

/** Sums of fractions differ in their last digits by the order in which they are added up; whole numbers do not. */
const NOISE = 1e-9;

/** Whether a number that is lower than before is the same but for what adding up fractions does to it. */
export function isNoise(from: number, to: number): boolean {
  return from > to && from - to <= NOISE * from && !(Number.isInteger(from) && Number.isInteger(to));
}

function collect(name: string, sample: Sample, scale: number, groups: Map<string, Buckets>): string | null {
  const isBucket = sample.name === `${name}_bucket`;
  if (!isBucket && sample.name !== `${name}_count`) return null;
  const shown = () => `${sample.name}${showLabels(sample.labels)}`;
  const problem = countProblem(sample.value);
  if (problem !== null) return `${shown()} is ${problem}`;
  const key = showLabels(sample.labels, 'le');
  const group: Buckets = groups.get(key) ?? { byBound: new Map() };
  groups.set(key, group);
  if (!isBucket) {
    group.count = sample.value;
    return null;
  }
  const bound = boundOf(sample.labels['le'], scale);
  if (Number.isNaN(bound)) return `${shown()}: le is not a number`;
  if (group.byBound.has(bound)) return `${shown()} is given twice`;
  group.byBound.set(bound, sample.value);
  return null;
}

/** Bounds by scale and spelling: a page shows the same few at every look. */
const bounds = new Map<number, Map<string, number>>();
const MOST_BOUNDS = 10_000;

function boundOf(le: string | undefined, scale: number): number {
  if (le === undefined) return Number.NaN;
  const known = bounds.get(scale) ?? new Map<string, number>();
  bounds.set(scale, known);
  let bound = known.get(le);
  if (bound === undefined) {
    bound = readBound(le, scale);
    if (known.size < MOST_BOUNDS) known.set(le, bound);
  }
  return bound;
}

/** 0.29 s is 290 ms and not 290.00000000000006: scaling must not make bounds that nobody configured. */
function readBound(le: string, scale: number): number {
  if (le.trim() === '') return Number.NaN;
  const bound = /^\+?inf$/i.test(le) ? Number.POSITIVE_INFINITY : Number(le);
  return scale === 1 || !Number.isFinite(bound) ? bound : Number((bound * scale).toPrecision(12));
}

function cumulate(shown: string, { byBound, count }: Buckets): HistogramTotals | string {
  const bounds = [...byBound.keys()].filter((bound) => bound !== Infinity).sort((a, b) => a - b);
  const all = byBound.get(Infinity) ?? count;
  if (all === undefined) return `${shown} has neither a +Inf bucket nor a _count`;
  if (bounds.length === 0) return `${shown} has no bucket with a finite bound`;
  if (bounds[0] === -Infinity) return `${shown} has a bucket with the bound -Inf`;
  const totals = [...bounds.map((bound) => byBound.get(bound)!), all];
  const falls = totals.findIndex((total, i) => i > 0 && total < totals[i - 1]! && !isNoise(totals[i - 1]!, total));
  if (falls > 0) {
    return `${shown} is not cumulative: ${totals[falls - 1]} at or below ${bounds[falls - 1]}, ${totals[falls]} at or below ${bounds[falls] ?? '+Inf'}`;
  }
  return { bounds, totals };
}

/**
 * What `now` counted since `before`. A total that went backwards, or other bounds, mean that the process restarted:
 * everything in `now` is new.
 * @returns null when the buckets contradict each other (a torn read): then nothing can be said of this span.
 */
export function differenceHistogram(
  now: HistogramTotals,
  before: HistogramTotals | undefined,
): { increments: Increments; reset: boolean } | null {
  const reset = before !== undefined && isReset(now, before);
  const base = before === undefined || reset ? null : before.totals;
  const rises = now.totals.map((total, i) => (base && isNoise(base[i]!, total) ? 0 : total - (base?.[i] ?? 0)));
  const counts = rises.map((rise, i) => rise - (i > 0 ? rises[i - 1]! : 0));
  const noise = 1e-12 * Math.max(...now.totals);
  if (counts.some((count) => count < -noise)) return null;
  return { increments: { bounds: now.bounds, counts: counts.map((count) => Math.max(0, count)) }, reset };
}

function isReset(now: HistogramTotals, before: HistogramTotals): boolean {
  const sameBounds =
    now.bounds.length === before.bounds.length && now.bounds.every((bound, i) => bound === before.bounds[i]);
  return !sameBounds || now.totals.some((total, i) => total < before.totals[i]! && !isNoise(before.totals[i]!, total));
}

/**
 * Sum over histograms, on the bounds that all of them have: neighbouring buckets merge, nothing is interpolated.
 * @returns `same: false` when bounds differed; null when no bound is common.
 */
export function sumHistograms(parts: readonly Increments[]): { sum: Increments; same: boolean } | null {
  const [first, ...rest] = parts;
  if (first === undefined) return null;
  const bounds = first.bounds.filter((bound) => rest.every((part) => part.bounds.includes(bound)));
  if (bounds.length === 0) return null;
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const part of parts) {
    let slot = 0;
    part.counts.forEach((count, i) => {
      while (slot < bounds.length && (part.bounds[i] ?? Infinity) > bounds[slot]!) slot++;
      counts[slot]! += count;
    });
  }
  return { sum: { bounds, counts }, same: parts.every((part) => part.bounds.length === bounds.length) };
}

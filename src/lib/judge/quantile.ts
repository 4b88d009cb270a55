/** Upper bound (`le`, the last one +Infinity) and cumulative count of a bucket of a classic Prometheus histogram. */
export type Bucket = readonly [le: number, count: number];

/** Prometheus ignores smaller relative differences between neighbouring counts: float noise of rates. */
const COUNT_TOLERANCE = 1e-12;
/** Bounds converted between units (2.01 s to 2009.9999999999998 ms) are still the same bound. */
const BOUND_TOLERANCE = 1e-9;

/**
 * The quantile as PromQL's `histogram_quantile` computes it from classic buckets (promql/quantile.go), with all its
 * special cases: NaN without observations or without a +Inf bucket, -Inf for q < 0, +Inf for q > 1, the last finite bound
 * when the quantile falls in the +Inf bucket. For display only: interpolation is a guess.
 */
export function histogramQuantile(q: number, buckets: readonly Bucket[]): number {
  if (Number.isNaN(q)) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const found = locate(q, normalise(buckets));
  return found === null ? Number.NaN : found.value;
}

interface Located {
  value: number;
  /** Bounds of the bucket; null when it has none on that side. */
  lower: number | null;
  upper: number | null;
}

function locate(q: number, buckets: readonly Bucket[]): Located | null {
  const last = buckets.length - 1;
  if (last < 1 || buckets[last]![0] !== Number.POSITIVE_INFINITY || !(buckets[last]![1] > 0)) return null;
  const rank = q * buckets[last]![1];
  const index = buckets.findIndex(([, count], i) => i === last || count >= rank);
  const [end, count] = buckets[index]!;
  const [begin, before] = buckets[index - 1] ?? [0, 0];
  if (index === last) return { value: begin, lower: begin, upper: null };
  if (index === 0 && end <= 0) return { value: end, lower: null, upper: end };
  return { value: begin + (end - begin) * ((rank - before) / (count - before)), lower: begin, upper: end };
}

/** Sorted by bound, equal bounds added up, counts made non-decreasing, as Prometheus does before it looks. */
function normalise(buckets: readonly Bucket[]): Bucket[] {
  const merged: [number, number][] = [];
  for (const [le, count] of [...buckets].sort((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1);
    if (previous !== undefined && previous[0] === le) previous[1] += count;
    else merged.push([le, count]);
  }
  for (let i = 1; i < merged.length; i++) {
    const [before, here] = [merged[i - 1]![1], merged[i]![1]];
    if (here < before || close(before, here, COUNT_TOLERANCE)) merged[i]![1] = before;
  }
  return merged;
}

function close(a: number, b: number, tolerance: number): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));
}

/** How many observations exceed a limit, as far as the buckets can tell. */
export interface ExceedCounts {
  /** Those above the nearest bound >= limit; 0 when no bound is. */
  surely: number;
  /** Those above the nearest bound <= limit; all of them when no bound is. */
  possibly: number;
  total: number;
  /** True when the limit is a bound, so that both counts are the same. */
  exact: boolean;
  surelyBound: number | null;
  possiblyBound: number | null;
}

/**
 * Counts observations above `limit` without interpolating.
 * @param bounds ascending upper bounds, in the unit of `limit`
 * @param counts per bucket, not cumulative, the last above every bound (`bounds.length + 1` of them)
 * @param orAt whether those at the limit exceed it: a bucket that ends there may have some
 * @throws RangeError when the lengths do not fit
 */
export function exceedCounts(
  bounds: readonly number[],
  counts: readonly number[],
  limit: number,
  orAt = false,
): ExceedCounts {
  checkLengths(bounds, counts);
  let above = 0;
  while (above < bounds.length && bounds[above]! < limit && !sameBound(bounds[above]!, limit)) above++;
  const exact = !orAt && above < bounds.length && sameBound(bounds[above]!, limit);
  const below = exact ? above : above - 1;
  return {
    surely: countAbove(counts, above),
    possibly: countAbove(counts, below),
    total: countAbove(counts, -1),
    exact,
    surelyBound: bounds[above] ?? null,
    possiblyBound: bounds[below] ?? null,
  };
}

function sameBound(bound: number, limit: number): boolean {
  return close(bound, limit, BOUND_TOLERANCE);
}

/** Counts of the buckets after `index`. */
function countAbove(counts: readonly number[], index: number): number {
  let sum = 0;
  for (let i = index + 1; i < counts.length; i++) sum += counts[i]!;
  return sum;
}

function checkLengths(bounds: readonly number[], counts: readonly number[]): void {
  if (counts.length !== bounds.length + 1)
    throw new RangeError(`histogram: ${bounds.length} bounds need ${bounds.length + 1} counts, not ${counts.length}`);
}

/**
 * The quantile for display with the bounds of its bucket. `value` is null without observations; `upper` is null above
 * every bound (`value` is then the last bound), `lower` is null in a first bucket that reaches below zero.
 * @param counts per bucket, not cumulative, the last above every bound
 */
export function quantileWithBucket(
  q: number,
  bounds: readonly number[],
  counts: readonly number[],
): { value: number | null; lower: number | null; upper: number | null } {
  checkLengths(bounds, counts);
  let sum = 0;
  const buckets = counts.map((count, i): Bucket => {
    sum += count;
    return [bounds[i] ?? Number.POSITIVE_INFINITY, sum];
  });
  const found = locate(q, normalise(buckets));
  if (found === null || Number.isNaN(found.value)) return { value: null, lower: null, upper: null };
  return { value: found.value, lower: found.lower, upper: found.upper };
}

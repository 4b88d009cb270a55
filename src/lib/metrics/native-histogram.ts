/** A native histogram without its layout: how many observations are at or below which bounds. */
export interface NativeHistogram {
  /** Each power of two is divided into 2^schema buckets. */
  schema: number;
  /** Observations within it on both sides of 0 are not told apart. */
  zeroThreshold: number;
  /** Populated buckets by their upper bounds, in any order; that of zero has `zeroThreshold`, those of negative numbers 0 or less. */
  buckets: Iterable<{ upper: number; count: number }>;
  /** Of all observations, NaN included. */
  count: number;
}

/** As a classic histogram has them: `totals[i]` at or below `bounds[i]`, the last one of everything. */
interface GridTotals {
  bounds: number[];
  totals: number[];
}

/** Finest division of the grid: eight buckets for a power of two, each 9% wide, as most services configure. */
const FINEST = 3;
/** The grid reaches from 2^-20 to 2^20: microseconds to days in seconds, 1 to a million of anything. */
const REACH = 20;
const SCHEMAS = { least: -4, most: 8 };

/** In words why a histogram of this schema is not read; null: it is. Schema -53 has bounds of its own. */
export function schemaProblem(schema: number): string | null {
  if (schema >= SCHEMAS.least && schema <= SCHEMAS.most) return null;
  return `is a native histogram of schema ${schema}, which is not read`;
}

/**
 * Cumulative totals on a fixed grid of bounds, so that two checks can be subtracted whichever buckets have come to be in
 * between. Buckets merge, nothing is interpolated: a bucket of schema n lies within one of each coarser schema
 * (https://prometheus.io/docs/specs/native_histograms/, "Schema"). Histograms coarser than the grid keep their own bounds,
 * which are some of the grid's; bounds below the zero threshold are left out, as nothing is known of them.
 */
export function onGrid({ schema, zeroThreshold, buckets, count }: NativeHistogram): GridTotals {
  const steps = 2 ** Math.min(schema, FINEST);
  const last = Math.floor(REACH * steps);
  const first = Math.max(-last, zeroThreshold > 0 ? slotOf(zeroThreshold, steps) : -last);
  const counts = new Array<number>(Math.max(0, last - first + 1)).fill(0);
  for (const bucket of buckets) {
    const slot = Math.max(0, (bucket.upper > 0 ? slotOf(bucket.upper, steps) : first) - first);
    if (slot < counts.length) counts[slot]! += bucket.count;
  }
  let sum = 0;
  const totals = counts.map((added) => (sum += added));
  return { bounds: counts.map((_, i) => boundAt(first + i, steps)), totals: [...totals, count] };
}

/** Number of the grid's first bound at or above. The tolerance is far below a step of the finest schema, 2^-8. */
function slotOf(upper: number, steps: number): number {
  return Math.ceil(Math.log2(upper) * steps - 1e-6);
}

/** Rounded, so that every machine spells it alike. */
function boundAt(slot: number, steps: number): number {
  return Number((2 ** (slot / steps)).toPrecision(12));
}

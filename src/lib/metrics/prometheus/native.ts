import { onGrid, schemaProblem } from '../native-histogram.js';
import type { ApiSeries, NativeBucket, RawHistogram, RawSample } from './parse.js';

/** Number of a native bucket's upper bound, and how many observations it holds. */
interface Populated {
  upper: number;
  count: number;
}

/**
 * Native histograms as classic ones, on bounds that stay the same from check to check
 * (https://prometheus.io/docs/specs/native_histograms/). Other series come back as they are; native ones whose bounds
 * cannot be known are left out.
 */
export function withoutNative(series: readonly ApiSeries[]): readonly ApiSeries[] {
  if (series.every(({ histograms }) => histograms === undefined)) return series;
  return series.flatMap((one) => (one.histograms === undefined ? [one] : asClassic(one, one.histograms)));
}

function asClassic({ metric }: ApiSeries, histograms: readonly (readonly [number, RawHistogram])[]): ApiSeries[] {
  const schema = coarsest(histograms.map(([, histogram]) => histogram));
  if (schema === null || schemaProblem(schema) !== null) return [];
  const { __name__: name = '', ...labels } = metric;
  const columns = new Map<string, RawSample[]>();
  const add = (suffix: string, le: string | null, t: number, value: number): void => {
    const key = JSON.stringify([suffix, le]);
    const column = columns.get(key) ?? columns.set(key, []).get(key)!;
    column.push([t, String(value)]);
  };
  for (const [t, histogram] of histograms) {
    const { bounds, totals } = onGrid({ schema, ...contentOf(histogram) });
    for (const [i, bound] of bounds.entries()) add('_bucket', String(bound), t, totals[i]!);
    add('_bucket', '+Inf', t, totals.at(-1)!);
    add('_count', null, t, totals.at(-1)!);
  }
  return [...columns].map(([key, values]) => {
    const [suffix, le] = JSON.parse(key) as [string, string | null];
    return { metric: { __name__: `${name}${suffix}`, ...labels, ...(le === null ? {} : { le }) }, values };
  });
}

/** Finest that Prometheus has; what has no bucket yet may be of any schema. */
const UNKNOWN_SCHEMA = 8;

/** Null for bounds that follow no schema: those that somebody chose, of which empty ones are not told. */
function coarsest(histograms: readonly RawHistogram[]): number | null {
  let coarsest = UNKNOWN_SCHEMA;
  for (const { buckets = [] } of histograms) {
    for (const [, lower, upper] of buckets) {
      const [low, high] = [Math.abs(Number(lower)), Math.abs(Number(upper))].sort((a, b) => a - b) as [number, number];
      if (Number(lower) < 0 !== Number(upper) < 0 || low === 0) continue;
      const schema = -Math.log2(Math.log2(high / low));
      // The schema can only be told to what the digits of the bounds allow.
      if (!Number.isFinite(schema) || Math.abs(schema - Math.round(schema)) > 1e-3) return null;
      coarsest = Math.min(coarsest, Math.round(schema));
    }
  }
  return coarsest;
}

function contentOf({ count, buckets = [] }: RawHistogram): {
  zeroThreshold: number;
  buckets: Populated[];
  count: number;
} {
  const zero = buckets.find(isZero);
  return {
    zeroThreshold: zero === undefined ? 0 : Number(zero[2]),
    buckets: buckets.map((bucket) => ({ upper: Number(bucket[2]), count: Number(bucket[3]) })),
    count: Number(count),
  };
}

const isZero = ([, lower, upper]: NativeBucket): boolean => Number(lower) < 0 && Number(upper) > 0;

/** What there is under a histogram's name that is no classic histogram, in words; null: nothing. */
export function kindOf(name: string, series: readonly ApiSeries[]): string | null {
  const own = series.filter(({ metric }) => metric['__name__'] === name);
  if (own.some(({ histograms }) => histograms !== undefined))
    return `${name} is a native histogram with custom bounds, which cannot be read: let Prometheus store classic buckets of it`;
  if (own.some(({ metric }) => metric['quantile'] !== undefined))
    return `${name} is a summary: its quantiles cannot be counted; a histogram is needed`;
  return null;
}

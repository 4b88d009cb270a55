import { type Unit, unitOfName } from '../signals/index.js';
import type { Facts, SeriesFact } from './facts.js';

/** A histogram with classic buckets. */
export interface HistogramFamily {
  /** Base name, without `_bucket`. */
  name: string;
  buckets: SeriesFact[];
  /** Its `_count` series; the buckets of `+Inf` where it has none. */
  counts: SeriesFact[];
  /** Finite upper bounds, rising. */
  bounds: number[];
  unit: Unit;
  /** What the unit was told by; `guess`: by the size of the bounds. */
  unitBy: 'name' | 'declared' | 'guess';
}

export interface CounterFamily {
  name: string;
  series: SeriesFact[];
}

export interface Families {
  histograms: HistogramFamily[];
  counters: CounterFamily[];
  gauges: CounterFamily[];
  /** Names of summaries: quantiles that cannot be judged by counts. */
  summaries: string[];
}

const NO_COUNTER = /_(sum|created|bucket|min|max|info)$/;
const LOOKS_COUNTED =
  /_(total|count)$|requests?$|responses?$|(_|^)(success|failure|rq_xx)$|request_(success|failure|count)$/;
const LOOKS_GAUGE = /in_?flight|in_?progress|active_requests|requests?_(running|active)|concurren|pending_request/i;

/** The metrics of a source by their kind, as declared or, where nothing is declared, by their names. */
export function familiesOf(facts: Facts): Families {
  const byName = Map.groupBy(facts.series, ({ name }) => name);
  const histograms: HistogramFamily[] = [];
  const [counters, gauges]: CounterFamily[][] = [[], []];
  const quantiles = new Set<string>();
  for (const [name, series] of byName) {
    if (name.endsWith('_bucket') && series.some(({ labels }) => labels['le'] !== undefined))
      histograms.push(histogram(name.slice(0, -'_bucket'.length), series, byName, facts));
    else if (series.some(({ labels }) => labels['quantile'] !== undefined)) quantiles.add(name);
  }
  const parts = new Set(histograms.flatMap(({ name }) => [`${name}_bucket`, `${name}_sum`, `${name}_count`]));
  for (const [name, series] of byName) {
    if (parts.has(name) || quantiles.has(name)) continue;
    const type = facts.types.get(name) ?? facts.types.get(name.replace(/_total$/, ''));
    const isGauge = LOOKS_GAUGE.test(name) && !/_(total|count)$/.test(name);
    if (type === 'counter' || (type === undefined && !isGauge && LOOKS_COUNTED.test(name) && !NO_COUNTER.test(name)))
      counters!.push({ name, series });
    else if (type === 'summary' || (type === 'histogram' && name.endsWith('_count'))) counters!.push({ name, series });
    else if ((type === 'gauge' || type === undefined) && isGauge) gauges!.push({ name, series });
  }
  return { histograms, counters: counters!, gauges: gauges!, summaries: [...quantiles] };
}

function histogram(
  name: string,
  buckets: SeriesFact[],
  byName: ReadonlyMap<string, SeriesFact[]>,
  facts: Facts,
): HistogramFamily {
  const limits = new Set(buckets.map(({ labels }) => Number(labels['le'])));
  const bounds = [...limits].filter(Number.isFinite).sort((a, b) => a - b);
  const own = byName.get(`${name}_count`);
  const counts = own ?? buckets.filter(({ labels }) => labels['le'] === '+Inf');
  return { name, buckets, counts, bounds, ...unitOf(name, facts.units.get(name), bounds) };
}

const UNIT_WORDS: readonly [RegExp, Unit][] = [
  [/(^|[_.:])(milliseconds|millis|ms|msec)([_.:]|$)/i, 'ms'],
  [/(^|[_.:])(microseconds|micros|us|usec)([_.:]|$)/i, 'us'],
  [/(^|[_.:])(nanoseconds|nanos|ns|nsec)([_.:]|$)/i, 'ns'],
  [/(^|[_.:])(seconds|secs?)([_.:]|$)/i, 's'],
];
const IN_TIME = /duration|latenc(y|ies)|elapsed|response_time|request_time|processing_time|_time$/i;

/** Whether a name says that it observes a duration. */
export function isTime(name: string): boolean {
  return IN_TIME.test(name) || UNIT_WORDS.some(([word]) => word.test(name));
}

function unitOf(
  name: string,
  declared: string | undefined,
  bounds: readonly number[],
): Pick<HistogramFamily, 'unit' | 'unitBy'> {
  const told = unitOfName(name);
  // What a name ends with is what the configuration reads of it.
  if (told !== null && told.unit !== '1') return { unit: told.unit, unitBy: 'name' };
  const said = [
    ['declared', declared ?? ''],
    ['name', name],
  ] as const;
  for (const [unitBy, text] of said) {
    const unit = UNIT_WORDS.find(([word]) => word.test(text))?.[1];
    if (unit !== undefined) return { unit, unitBy };
  }
  if (!isTime(name)) return { unit: '1', unitBy: 'guess' };
  const largest = bounds.at(-1) ?? 1;
  // Few wait longer than ten minutes, and no bound of a service is below a microsecond.
  return { unit: largest <= 600 ? 's' : largest <= 600_000 ? 'ms' : 'us', unitBy: 'guess' };
}

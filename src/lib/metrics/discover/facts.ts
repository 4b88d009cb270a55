import type { Labels } from '../labels.js';

/** One series that was found. */
export interface SeriesFact {
  /** Which of the pages it is on; 0 is the canary's, or the only one. */
  page: number;
  name: string;
  labels: Labels;
  /** Newest value. */
  value: number;
  /** Increase a second while it was measured; null: not known. */
  perSecond: number | null;
}

/** What one or two metrics pages, or a Prometheus, were found to hold. */
export interface Facts {
  series: SeriesFact[];
  /** `# TYPE` and `# UNIT` lines by metric; empty where the source has none. */
  types: ReadonlyMap<string, string>;
  units: ReadonlyMap<string, string>;
  /** How long the traffic was measured, seconds; null: it was not. */
  seconds: number | null;
  /** Seconds between two samples at the source, where it is a Prometheus. */
  scrapeSeconds: number | null;
}

/** One look at a page or a Prometheus: samples in any order. */
export interface Look {
  /** Milliseconds since the epoch. */
  at: number;
  samples: readonly { name: string; labels: Labels; value: number }[];
}

/** Series of two looks at one page: the newer values, and how fast they rose. A series that is new rose from zero. */
export function risen(page: number, before: Look | null, now: Look): SeriesFact[] {
  const earlier = new Map(before?.samples.map((sample) => [key(sample), sample.value]));
  const seconds = before === null ? 0 : (now.at - before.at) / 1000;
  return now.samples.map((sample) => {
    const { name, labels, value } = sample;
    const rise = value - (earlier.get(key(sample)) ?? 0);
    // What fell began anew.
    const perSecond = seconds > 0 ? (rise < 0 ? value : rise) / seconds : null;
    return { page, name, labels, value, perSecond };
  });
}

function key({ name, labels }: { name: string; labels: Labels }): string {
  return JSON.stringify([name, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

export function valuesOf(series: readonly SeriesFact[], label: string): string[] {
  const values = new Set(series.map(({ labels }) => labels[label]).filter((value) => value !== undefined));
  return [...values].sort(byNumbers);
}

/** `v10` after `v9`. */
export function byNumbers(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** Requests a second of all series together; null where none is known. */
export function rateOf(series: readonly SeriesFact[]): number | null {
  const known = series.flatMap(({ perSecond }) => (perSecond === null ? [] : [perSecond]));
  return known.length === 0 ? null : known.reduce((sum, rate) => sum + rate, 0);
}

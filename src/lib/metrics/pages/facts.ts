import type { Sample } from '../signals/index.js';

/** What a page says of its metrics besides their samples, wanted or not. */
export interface PageFacts {
  /** Declared type of each family, in lower case: counter, gauge, histogram, summary, untyped, unknown, ... */
  types: Map<string, string>;
  /** Declared unit of each family, as in `seconds`. */
  units: Map<string, string>;
  /** What it says in words of each histogram that is wanted (`# HELP`). */
  help: Map<string, string>;
  /** Names of all samples, as in `model_latency_bucket`. Empty: the page holds not one sample. */
  names: Set<string>;
  /** In words, by name of a wanted sample: its timestamps are in another unit than those of the format. */
  timestamps: Map<string, string>;
}

/** What was read of a page. */
export interface Exposition {
  /** Those that were wanted. */
  samples: Sample[];
  facts: PageFacts;
}

export function noFacts(): PageFacts {
  return { types: new Map(), units: new Map(), help: new Map(), names: new Set(), timestamps: new Map() };
}

/**
 * Why a histogram is not there, as far as its page says; to follow `no series NAME_bucket: `. Null: the page says nothing.
 * @param name base name
 */
export function whyNoHistogram(facts: PageFacts, name: string): string | null {
  const type = facts.types.get(name);
  const isSummary =
    type === 'summary' || (type === undefined && facts.names.has(name) && facts.names.has(`${name}_sum`));
  if (isSummary) return `the page has ${name} as a summary; a histogram is needed`;
  if (type !== undefined && type !== 'histogram') return `the page has ${name} as a ${type}; a histogram is needed`;
  return null;
}

/** Notes about names that are read as what they are declared not to be: a gauge falls without a restart. */
export function gaugeNotes(facts: PageFacts, counters: readonly string[], histograms: readonly string[]): string[] {
  const isGauge = (name: string) => facts.types.get(name) === 'gauge';
  const note = (kind: string) => (name: string) => `${name} is declared a gauge, read as a ${kind}`;
  const buckets = histograms.flatMap((name) => [name, `${name}_bucket`]);
  return [...counters.filter(isGauge).map(note('counter')), ...buckets.filter(isGauge).map(note('histogram'))];
}

const FIRST_VALUE = /[ \t]*\{|[ \t]+[+-]?(?:\d|\.\d|nan\b|inf)/iy;

/** Whether what follows a name at `at` looks like the rest of a sample, and not like words. */
export function looksLikeSample(text: string, at: number): boolean {
  FIRST_VALUE.lastIndex = at;
  return FIRST_VALUE.test(text);
}

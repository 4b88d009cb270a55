import { xorshift } from '../../../xorshift.js';

/** What a version is like. */
export interface Manner {
  /** Share of its requests that fail. */
  fail: number;
  /** Median of its latency, ms. */
  medianMs: number;
}

/** A histogram as clients keep it: counts by bound, the last above all bounds. */
export class Hist {
  readonly counts: number[];
  sum = 0;
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  observe(value: number): void {
    const at = this.bounds.findIndex((bound) => value <= bound);
    this.counts[at < 0 ? this.bounds.length : at]!++;
    this.sum += value;
  }
}

/** How a system measures: bounds of its latency, in `scale` units a millisecond. */
export interface Measures {
  bounds: readonly number[];
  scale: number;
}

/** Bounds of many clients' default, in seconds. */
export const SECONDS: Measures = {
  bounds: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  scale: 1e-3,
};

/** One version of a service: requests that it served, by what became of them. */
export class Version {
  readonly good: Hist;
  readonly bad: Hist;
  /** Of good and bad ones. */
  readonly all: Hist;
  readonly tokens = new Hist([10, 20, 50, 100, 200, 500, 1000]);
  readonly #scale: number;
  readonly #random: () => number;

  constructor(
    readonly name: string,
    measures: Measures,
    seed: number,
  ) {
    this.good = new Hist(measures.bounds);
    this.bad = new Hist(measures.bounds);
    this.all = new Hist(measures.bounds);
    this.#scale = measures.scale;
    this.#random = xorshift(seed * 7919);
    for (let i = 0; i < 20; i++) this.#random();
  }

  serve(requests: number, { fail, medianMs }: Manner): void {
    for (let i = 0; i < requests; i++) {
      const value = medianMs * Math.exp(0.5 * this.#normal()) * this.#scale;
      const failed = this.#random() < fail;
      (failed ? this.bad : this.good).observe(value);
      this.all.observe(value);
      if (!failed) this.tokens.observe(120 * Math.exp(0.6 * this.#normal()));
    }
  }

  /** Box and Muller (1958). */
  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
  }
}

export type Labels = Record<string, string>;

/** One metric of a page, with its type line. */
export function metric(name: string, type: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`# TYPE ${name} ${type}`, ...lines];
}

export function sample(name: string, labels: Labels, value: number): string {
  const written = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
  return `${name}${written.length === 0 ? '' : `{${written.join(',')}}`} ${value}`;
}

/** A counter with a series for each of these label sets; one that has never counted is not there yet. */
export function counter(name: string, series: readonly (readonly [Labels, number])[]): string[] {
  const there = series.filter(([, value]) => value > 0);
  return metric(
    name,
    'counter',
    there.map(([labels, value]) => sample(name, labels, value)),
  );
}

export function gauge(name: string, labels: Labels, value: number): string[] {
  return metric(name, 'gauge', [sample(name, labels, value)]);
}

/** A histogram with a series for each of these label sets; one that has never observed is not there yet. */
export function histogram(name: string, series: readonly (readonly [Labels, Hist])[]): string[] {
  const lines = series.flatMap(([labels, { bounds, counts, count, sum }]) => {
    if (count === 0) return [];
    let below = 0;
    const buckets = bounds.map((bound, i) => {
      below += counts[i]!;
      return sample(`${name}_bucket`, { ...labels, le: String(bound) }, below);
    });
    buckets.push(sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count));
    return [...buckets, sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, count)];
  });
  return metric(name, 'histogram', lines);
}

import { uniform } from './random.js';
import { drawTraffic, type Traffic } from './traffic.js';

/** Length of the window and of a tick, seconds. */
export const WINDOW = 120;
export const TICK = 5;
/** Longest that any contender watches: Flagger with all the failed checks it tolerates. */
const WATCHED = 168;

/** Largest share of bad requests: what the policy says for errors, 5% for a p95. */
export const TARGETS = { errors: 0.02, latency: 0.05 } as const;

/** A canary as all contenders see it. */
export interface Trial {
  signal: keyof typeof TARGETS;
  canary: Traffic;
  /** Baselines at the canary's request rate: one exactly at the target, one at half of it. */
  baseline: { atTarget: Traffic; atHalf: Traffic };
}

export interface Scenario {
  name: string;
  signal: keyof typeof TARGETS;
  rps: number;
  /** The canary's rate as a multiple of the target, by second. */
  factor(second: number): number;
  batch: number;
  /** Second from which the canary is bad, Infinity for a healthy one: a rollback up to then is wrong. */
  badFrom: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const MIDDLE = WINDOW / 2;

const always = (factor: number) => () => factor;

function at(rates: readonly number[], scenario: Omit<Scenario, 'rps' | 'signal' | 'batch'> & Partial<Scenario>) {
  return rates.map((rps): Scenario => ({ signal: 'errors', batch: 1, ...scenario, rps }));
}

export const AT_TARGET = 'errors exactly at the target';
export const HALF_AGAIN = 'errors at 1.5x the target';
export const FOURFOLD = 'errors at 4x the target';
export const TURNS_BAD = 'errors turn bad mid-window (0.25x, then 4x the target)';

export const SCENARIOS: readonly Scenario[] = [
  ...at([1, 10, 100, 1000], { name: AT_TARGET, factor: always(1), badFrom: NEVER }),
  ...at([10, 100], { name: 'errors at half the target', factor: always(0.5), badFrom: NEVER }),
  ...at([10, 100], { name: 'errors at a tenth of the target', factor: always(0.1), badFrom: NEVER }),
  ...at([10, 100], { name: HALF_AGAIN, factor: always(1.5), badFrom: 0 }),
  ...at([1, 10, 100, 1000], { name: FOURFOLD, factor: always(4), badFrom: 0 }),
  ...at([10, 100], { name: TURNS_BAD, factor: (s) => (s < MIDDLE ? 0.25 : 4), badFrom: MIDDLE }),
  ...at([10, 100], { name: 'p95 exactly at its limit', signal: 'latency', factor: always(1), badFrom: NEVER }),
  ...at([10], {
    name: 'p95 over its limit (20% of requests are slower)',
    signal: 'latency',
    factor: always(4),
    badFrom: 0,
  }),
  ...at([10, 100], {
    name: 'errors at the target, batches of 10 share a fate',
    batch: 10,
    factor: always(1),
    badFrom: NEVER,
  }),
];

/** Endless reproducible trials of a scenario. */
export function* trials({ signal, rps, factor, batch }: Scenario, ...seeds: readonly number[]): Generator<Trial> {
  const random = uniform(...seeds);
  const target = TARGETS[signal];
  const arm = (multiple: (second: number) => number, seconds: number) =>
    drawTraffic({ rps, rate: (s) => target * multiple(s), batch }, seconds, random);
  for (;;)
    yield {
      signal,
      canary: arm(factor, WATCHED),
      baseline: { atTarget: arm(always(1), WINDOW), atHalf: arm(always(0.5), WINDOW) },
    };
}

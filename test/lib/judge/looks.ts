import type {
  ArmReading,
  CountSignal,
  HistogramSignal,
  Missing,
  MissingState,
  Observation,
  ScalarSignal,
} from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';

export const START = Date.parse('2026-03-01T12:00:00Z');

/** Looks every 5 s in a window of a minute unless said otherwise. */
export function policy(input: Record<string, unknown>): Policy {
  return parsePolicy({ windowSeconds: 60, intervalSeconds: 5, ...input });
}

export const errors = (bad: number, total: number): { errors: CountSignal } => ({
  errors: { state: 'ok', bad, total },
});

export const histogram = (bounds: number[], counts: number[]): HistogramSignal => ({ state: 'ok', bounds, counts });

export const missing = (state: MissingState): Missing => ({ state });

/** An arm of which nothing is known. */
export const without = (state: MissingState): ArmReading => ({
  errors: missing(state),
  latency: missing(state),
  score: missing(state),
});

export const scalar = (value: number): ScalarSignal => ({ state: 'ok', value });

export interface Look {
  canary?: ArmReading;
  baseline?: ArmReading;
  scalars?: Record<string, ScalarSignal>;
}

/** One look, `seconds` after the start, that covers the time since `from` seconds. */
export function look(tick: number, seconds: number, from: number, { canary = {}, ...rest }: Look): Observation {
  return { v: 1, tick, t: START + seconds * 1000, from: START + from * 1000, canary, ...rest };
}

/** The first look, which only sets the starting point, and one look every `interval` seconds after it. */
export function looks(count: number, of: (tick: number) => Look, interval = 5): Observation[] {
  const first = look(0, 0, 0, { canary: without('first'), baseline: without('first') });
  const rest = Array.from({ length: count }, (_, i) => look(i + 1, (i + 1) * interval, i * interval, of(i + 1)));
  return [first, ...rest];
}

import type { ArmReading } from '../../../../src/lib/judge/observation.js';
import { type ArmCount, type ArmCursor, countArm } from '../../../../src/lib/metrics/counting/index.js';
import { parseSelector } from '../../../../src/lib/metrics/promql/index.js';
import type { Sample, Target } from '../../../../src/lib/metrics/signals/samples.js';
import type { CounterExpression, Signals } from '../../../../src/lib/metrics/signals/signals.js';

/** `a + b - c` of selectors. */
export function counters(text: string): CounterExpression {
  const parts = text.split(/ ([+-]) /);
  const terms = parts.flatMap((part, i) => {
    if (i % 2 === 1) return [];
    return [{ sign: parts[i - 1] === '-' ? (-1 as const) : (1 as const), selector: parseSelector(part)! }];
  });
  return { text, terms };
}

export function errorsOf(text: string, among = false, absent: 'no_data' | 'zero' = 'no_data'): Signals['errors'] {
  return { ...counters(text), among, absent };
}

export function histogram(text: string, unit: 's' | 'ms' | '1' = 's'): Signals['histograms'][string] {
  const { name, matchers } = parseSelector(text)!;
  return { name, matchers, unit, scale: unit === 's' ? 1000 : 1 };
}

export const SIGNALS: Signals = {
  requests: counters('model_requests_total'),
  errors: errorsOf('model_errors_total'),
  histograms: { latency: histogram('model_latency') },
  drift: null,
  inflight: null,
};

export const sample = (name: string, value: number, labels: Record<string, string> = {}, t?: number): Sample =>
  t === undefined ? { name, labels, value } : { name, labels, value, t };
export const requests = (value: number, labels = {}, t?: number) => sample('model_requests_total', value, labels, t);
export const errors = (value: number, labels = {}, t?: number) => sample('model_errors_total', value, labels, t);
/** Classic histogram from cumulative totals by bound. */
export const latency = (totals: Record<string, number>, labels: Record<string, string> = {}): Sample[] =>
  Object.entries(totals).map(([le, value]) => sample('model_latency_bucket', value, { ...labels, le }));
export const ok = (samples: readonly Sample[], startedAt?: number, id = 'http://a/metrics'): Target => ({
  id,
  state: { state: 'ok' },
  samples,
  ...(startedAt === undefined ? {} : { startedAt }),
});
export const down = (id = 'http://a/metrics'): Target => ({
  id,
  state: { state: 'unreachable', detail: `${id} does not answer` },
  samples: [],
});

/** When look `i` of `looks` is taken. */
export const at = (i: number): number => 100_000 + i * 10_000;

/** Looks one after the other, 10 s apart; the cursor goes through JSON as it does through the store. */
export function looksAt(all: readonly (readonly Target[])[], signals = SIGNALS, staleAfter?: number): ArmCount[] {
  let cursor: ArmCursor | null = null;
  return all.map((targets, i) => {
    const stale = staleAfter === undefined ? {} : { staleBefore: at(i) - staleAfter };
    const result = countArm({ targets, at: at(i), ...stale }, cursor, signals);
    cursor = JSON.parse(JSON.stringify(result.cursor)) as ArmCursor;
    return result;
  });
}

/** Looks at one page. */
export const looks = (all: readonly (readonly Sample[])[], signals = SIGNALS, staleAfter?: number): ArmCount[] =>
  looksAt(
    all.map((series) => [ok(series)]),
    signals,
    staleAfter,
  );

export const last = <T>(all: readonly T[]): T => all.at(-1)!;
export const errorsIn = (all: readonly ArmCount[]): ArmReading['errors'][] => all.map(({ reading }) => reading.errors);

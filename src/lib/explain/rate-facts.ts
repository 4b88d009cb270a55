import type { DriftReport, RateReport } from '../judge/index.js';
import { milliseconds } from './words.js';

/** How bad requests are called: `failed requests`, and `failed` as in `40 of 1,000 requests failed`. */
export function sidesOf(o: Pick<RateReport, 'signal' | 'histogram' | 'target'>): { bad: string; did: string } {
  const { signal, histogram } = o;
  if (histogram !== undefined) return { bad: `${histogram.name} values ${beyond(o)}`, did: above(o) };
  return signal === 'errors' ? { bad: 'failed requests', did: 'failed' } : { bad: 'slow requests', did: 'were slow' };
}

/** What is counted: `request`, or `ttft value` for another histogram; for `plural`. */
export function counted({ histogram }: Pick<RateReport, 'histogram'>): string {
  return histogram === undefined ? 'request' : `${histogram.name} value`;
}

/** How those above the limit are called: `took longer than 250 ms`, `were above 800 ms`. */
export function above(o: Pick<RateReport, 'histogram' | 'target'>): string {
  return o.histogram === undefined ? `took longer than ${inUnit(o, o.target)}` : `were ${beyond(o)}`;
}

/** `above 800 ms`; `500 or above` where the limit itself fails. */
export function beyond(o: Pick<RateReport, 'histogram' | 'target'>): string {
  const limit = inUnit(o, o.target);
  return o.histogram?.strict ? `${limit} or above` : `above ${limit}`;
}

/** A limit, bound or value of an objective's histogram with its unit. */
export function inUnit({ histogram }: Pick<RateReport, 'histogram'>, value: number): string {
  return histogram?.unit === '1' ? `${Number(value.toPrecision(6))}` : milliseconds(value);
}

/** What drift is computed from: `score`, or `count` by the value of a label; for `plural`. */
export function drifted({ by }: DriftReport): string {
  return by === 'categories' ? 'count' : 'score';
}

/** `p95`. */
export function percentile({ quantile }: NonNullable<RateReport['latency']>): string {
  return `p${Number((quantile * 100).toPrecision(10))}`;
}

/** Whether no bucket ends at or above the limit, so that the requests above it cannot be counted. */
export function hasNoBucketAtLimit({ signal, latency, relative }: RateReport): boolean {
  return signal === 'latency' && !relative && latency !== null && latency.surelyAbove === null;
}

/** The counts since a regression that started after the first check; null without such a regression. */
export function since({ rollback, onset, total }: RateReport): RateReport['onset'] {
  if (!rollback.against || !onset || onset.total <= 0 || onset.total >= total) return null;
  return onset;
}

/** The same where the rate of the whole window still meets the target, so that only the counts since then explain it. */
export function lateOnset(o: RateReport): RateReport['onset'] {
  return !o.relative && o.rate !== null && o.rate <= o.p0 ? since(o) : null;
}

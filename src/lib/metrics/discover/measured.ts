import type { Matcher } from '../promql/index.js';
import { SCALES } from '../signals/index.js';
import { rateOf, type SeriesFact } from './facts.js';
import type { HistogramFamily } from './families.js';
import { fits } from './picks.js';

/** What the versions do now: the ground on which targets are proposed. */
export interface Measured {
  /** Requests a second; null: not known. Without arms the canary's is that of all. */
  canaryPerSecond: number | null;
  baselinePerSecond: number | null;
  /** Share of failed requests, 0..1, of the version that serves now; null: failures are not told. */
  errorRate: number | null;
  requests: number;
  failed: number;
  /** Share of requests above each bound (ms) of the version that serves now; null: no histogram, or no requests. */
  slower: { ms: number; share: number }[] | null;
  /** The p95 is at or below this bound, ms; null: above the last one. */
  p95AtMost: number | null;
  /** Whether counted while it was measured, or since the processes began. */
  over: 'measured' | 'lifetime';
}

/** Below so many requests what was counted since the processes began says more. */
const ENOUGH = 200;

export interface Measure {
  requests: readonly SeriesFact[];
  failed: readonly SeriesFact[] | null;
  latency: HistogramFamily | null;
  latencyMatchers: readonly Matcher[];
  arms: { canary: (series: SeriesFact) => boolean; baseline: ((series: SeriesFact) => boolean) | null };
  seconds: number | null;
}

export function measure({ requests, failed, latency, latencyMatchers, arms, seconds }: Measure): Measured {
  const serving = arms.baseline ?? arms.canary;
  const rate = (of: (series: SeriesFact) => boolean) => rateOf(requests.filter(of));
  const during = sum(requests.filter(serving), (one) => (one.perSecond ?? 0) * (seconds ?? 0));
  const over = during >= ENOUGH ? 'measured' : 'lifetime';
  const counted = (one: SeriesFact): number =>
    over === 'measured' ? Math.max(0, one.perSecond ?? 0) * (seconds ?? 0) : Math.max(0, one.value);
  const total = sum(requests.filter(serving), counted);
  const bad = failed === null ? null : sum(failed.filter(serving), counted);
  const slower =
    latency === null
      ? null
      : shares(
          latency,
          latency.buckets.filter((one) => serving(one) && fits(one, latencyMatchers)),
          counted,
        );
  return {
    canaryPerSecond: rate(arms.canary),
    baselinePerSecond: arms.baseline === null ? null : rate(arms.baseline),
    errorRate: bad === null || total === 0 ? null : Math.min(1, bad / total),
    requests: Math.round(total),
    failed: Math.round(bad ?? 0),
    slower,
    p95AtMost: slower?.find(({ share }) => share <= 0.05)?.ms ?? null,
    over,
  };
}

function sum(series: readonly SeriesFact[], counted: (one: SeriesFact) => number): number {
  return series.reduce((all, one) => all + (Number.isFinite(counted(one)) ? counted(one) : 0), 0);
}

/** Share of requests above each bound. Buckets are cumulative. */
function shares(
  { bounds, unit }: HistogramFamily,
  buckets: readonly SeriesFact[],
  counted: (one: SeriesFact) => number,
): Measured['slower'] {
  const atMost = (bound: number) =>
    sum(
      buckets.filter(({ labels }) => Number((labels['le'] ?? '').replace('+Inf', 'Infinity')) === bound),
      counted,
    );
  const all = atMost(Infinity);
  if (all === 0) return null;
  return bounds.map((bound) => ({
    ms: Number((bound * SCALES[unit]).toPrecision(12)),
    share: Math.min(1, Math.max(0, 1 - atMost(bound) / all)),
  }));
}

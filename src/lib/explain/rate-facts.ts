import type { RateReport } from '../judge/index.js';

/** How bad requests are called: `failed requests`, and `failed` as in `40 of 1,000 requests failed`. */
export function sidesOf({ signal }: Pick<RateReport, 'signal'>): { bad: string; did: string } {
  return signal === 'errors' ? { bad: 'failed requests', did: 'failed' } : { bad: 'slow requests', did: 'were slow' };
}

/** `p95`. */
export function percentile({ quantile }: NonNullable<RateReport['latency']>): string {
  return `p${Math.round(quantile * 100)}`;
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

import type { CountSignal } from '../../judge/index.js';
import type { ArmCursor } from './cursor.js';

/**
 * Failures as a difference of counters (`total - good`): a request that is being served is in one of them and not yet in
 * the other, as is one that ends while the page is written. So both halves count one look late: of the difference at the
 * last look only what this look still shows (the lower of both) has failed, and no failure is made out of the order of
 * reading. Where a gauge says how many are being served, what those have grown by since the start is no failure either.
 * And by how much the difference once fell, which failures cannot, it may be too high at any look. What it may be short of
 * is what was being served at the starting point.
 */
export function settle(cursor: ArmCursor, inflight: number | null, notes: string[]): CountSignal {
  const { carry } = cursor;
  const last = cursor.settling;
  const now = {
    bad: (last?.bad ?? 0) + carry.bad,
    total: (last?.total ?? 0) + carry.total,
    givenBad: last?.givenBad ?? 0,
    givenTotal: last?.givenTotal ?? 0,
    inflight: last?.inflight ?? inflight ?? 0,
    noise: Math.max(last?.noise ?? 0, -carry.bad),
  };
  cursor.settling = now;
  cursor.carry = { bad: 0, total: 0 };
  if (last === null) return { state: 'first', detail: 'a difference of counters counts one check later' };
  const growth = Math.max(0, (inflight ?? now.inflight) - now.inflight);
  const total = Math.max(0, Math.min(last.total, now.total) - now.givenTotal);
  const bad = Math.min(total, Math.max(0, Math.min(last.bad, now.bad) - growth - now.noise - now.givenBad));
  now.givenTotal += total;
  now.givenBad += bad;
  const open = now.bad - now.givenBad;
  if (open > 0)
    notes.push(`errors: ${open} requests are not counted as good yet; the next check tells whether they failed`);
  return { state: 'ok', bad, total };
}

import type { CountSignal } from '../../judge/index.js';
import type { ArmCursor } from './cursor.js';

/** At so many looks in a row a gauge of requests in flight has not fallen, before that is worth a note. */
const LONG_RISE = 5;

/**
 * Failures as a difference of counters (`total - good`): a request that is being served is in one of them and not yet in
 * the other, as is one that ends while the page is written. So both halves count one look late: of the difference at the
 * last look only what this look still shows (the lower of both) has failed, and no failure is made out of the order of
 * reading. Where a gauge says how many are being served, what those have grown by since the start is neither a failure nor
 * a request yet. And by how much the difference once fell, which failures cannot, it may be too high at any look.
 *
 * All of that may be wrong the other way: a gauge that failures do not lower makes each of them a request that runs, and
 * requests that ran at the start and are good by now hide as many failures. So what is not given out stands beside it
 * (`open`), with how many may have failed. What it may be short of is what was being served at the starting point, where
 * no gauge tells.
 */
export function settle(cursor: ArmCursor, inflight: number | null, notes: string[]): CountSignal {
  const { carry } = cursor;
  const last = cursor.settling;
  const gauge = inflight ?? last?.gauge ?? last?.inflight ?? 0;
  const now = {
    bad: (last?.bad ?? 0) + carry.bad,
    total: (last?.total ?? 0) + carry.total,
    givenBad: last?.givenBad ?? 0,
    givenTotal: last?.givenTotal ?? 0,
    inflight: last?.inflight ?? cursor.inflight ?? gauge,
    noise: Math.max(last?.noise ?? 0, -carry.bad),
    gauge,
    rising: risingAt(last, gauge),
    open: { bad: 0, total: 0 },
  };
  cursor.settling = now;
  cursor.carry = { bad: 0, total: 0 };
  // The next check covers this one too.
  if (last === null) return { state: 'unchanged', detail: 'a difference of counters counts one check later' };
  const growth = Math.max(0, gauge - now.inflight);
  const missing = Math.min(last.bad, now.bad) - now.givenBad;
  const running = Math.max(0, Math.min(growth, missing));
  const total = Math.max(0, Math.min(last.total, now.total) - now.givenTotal - running);
  const bad = Math.min(total, Math.max(0, missing - growth - now.noise));
  now.givenTotal += total;
  now.givenBad += bad;
  const open = now.bad - now.givenBad;
  if (open > 0)
    notes.push(`errors: ${open} requests are not counted as good yet; the next check tells whether they failed`);
  if (growth > 0 && open > 0 && (now.rising ?? 0) >= LONG_RISE)
    notes.push(
      `errors: the requests in flight rose from ${now.inflight} to ${gauge} and never fell, while ${now.total} requests were counted: failures that do not lower that gauge look like requests that run`,
    );
  const mayHaveFailed = Math.max(0, open + Math.max(0, now.inflight - gauge));
  now.open = { bad: mayHaveFailed, total: Math.max(mayHaveFailed, now.total - now.givenTotal) };
  return { state: 'ok', bad, total };
}

function risingAt(last: ArmCursor['settling'], gauge: number): number | null {
  if (last === null) return 0;
  if (last.rising === null || last.rising === undefined || gauge < (last.gauge ?? gauge)) return null;
  return last.rising + 1;
}

import type { CountSignal } from '../../judge/index.js';
import type { ArmCursor } from './cursor.js';

/** At so many looks in a row a gauge of requests in flight has not fallen, before that is worth a note. */
const LONG_RISE = 5;

/**
 * Failures as a difference of counters (`total - good`): a request that is being served is in one of them and not yet in
 * the other, as is one that ends while the page is written. So both halves count one look late: of the difference at the
 * last look only what this look still shows (the lower of both) has failed, and no failure is made out of the order of
 * reading. Where a gauge says how many are being served, what those have grown by in what was counted (`running`) is neither
 * a failure nor a request yet; those of a process that ended or began anew never are. And by how much the difference once
 * fell, which failures cannot, it may be too high at any look.
 *
 * All of that may be wrong the other way: a gauge that failures do not lower makes each of them a request that runs, and
 * requests that ran at the start (`began`) and are good by now hide as many failures, whatever such a gauge says by then. So
 * what is not given out stands beside it (`open`), with how many may have failed. What that may be short of, where no gauge
 * tells, is what was being served at the starting point.
 */
export function settle(cursor: ArmCursor, notes: string[]): CountSignal {
  const { carry, running = 0, began = 0 } = cursor;
  const last = cursor.settling;
  const now: Settling = {
    bad: (last?.bad ?? 0) + carry.bad,
    total: (last?.total ?? 0) + carry.total,
    givenBad: last?.givenBad ?? 0,
    givenTotal: last?.givenTotal ?? 0,
    noise: Math.max(last?.noise ?? 0, -carry.bad),
    running,
    rising: risingAt(last, running),
  };
  cursor.settling = now;
  cursor.carry = { bad: 0, total: 0 };
  const found = last === null ? NOT_YET : give(now, last, running, notes);
  const open = now.bad - now.givenBad + began;
  now.open = { bad: Math.max(0, open), total: Math.max(0, open, now.total - now.givenTotal) };
  return found;
}

/** The next check covers this one too. */
const NOT_YET: CountSignal = { state: 'unchanged', detail: 'a difference of counters counts one check later' };

type Settling = NonNullable<ArmCursor['settling']>;

/** Gives out what is certain by now. */
function give(now: Settling, last: Settling, running: number, notes: string[]): CountSignal {
  const missing = Math.min(last.bad, now.bad) - now.givenBad;
  const held = Math.max(0, Math.min(running, missing));
  const total = Math.max(0, Math.min(last.total, now.total) - now.givenTotal - held);
  const bad = Math.min(total, Math.max(0, missing - Math.max(0, running) - now.noise));
  now.givenTotal += total;
  now.givenBad += bad;
  const open = now.bad - now.givenBad;
  if (open > 0)
    notes.push(`errors: ${open} requests are not counted as good yet; the next check tells whether they failed`);
  if (running > 0 && open > 0 && (now.rising ?? 0) >= LONG_RISE)
    notes.push(
      `errors: the requests in flight rose by ${running} and never fell, while ${now.total} requests were counted: failures that do not lower that gauge look like requests that run`,
    );
  return { state: 'ok', bad, total };
}

function risingAt(last: Settling | null, running: number): number | null {
  if (last === null) return 0;
  if (last.rising === null || last.rising === undefined || running < (last.running ?? 0)) return null;
  return last.rising + 1;
}

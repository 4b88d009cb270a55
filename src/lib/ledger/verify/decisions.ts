import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import { canonical, isRecord } from './entries.js';
import type { Findings } from './findings.js';

/** What a canary.decided entry commits to. */
interface Decision {
  seq: number;
  /** When it was recorded, RFC 3339. */
  ts: unknown;
  canary: unknown;
  /** Rows up to and with this tick were judged. */
  tick: unknown;
  count: unknown;
  firstAt: unknown;
  lastAt: unknown;
  digest: unknown;
}

interface ObservationRow {
  tick: number;
  t: number;
  body: string;
}

/** The decision in a canary.decided entry; null for any other entry. */
export function decisionOf(seq: number, event: unknown): Decision | null {
  if (!isRecord(event) || event.kind !== 'canary.decided') return null;
  const data = isRecord(event.data) ? event.data : {};
  const verdict = isRecord(data.verdict) ? data.verdict : {};
  const { count, firstAt, lastAt, digest } = isRecord(data.observations) ? data.observations : {};
  return { seq, ts: event.ts, canary: event.subject, tick: verdict.tick, count, firstAt, lastAt, digest };
}

/** Compares the recorded observations with what the decision says it judged. */
export function checkDecision(db: Database, decision: Decision, findings: Findings): void {
  const { seq, canary, count, tick: upTo } = decision;
  if (typeof canary !== 'string' || typeof upTo !== 'number') {
    findings.bad(seq, 'decision without a record of what was judged');
    return;
  }
  const rows = db
    .prepare<[string, number], ObservationRow>(
      'SELECT tick, t, body FROM canary_metrics WHERE canary = ? AND tick <= ? ORDER BY tick',
    )
    .iterate(canary, upTo);
  const digest = createHash('sha256');
  let found = 0;
  let first: number | null = null;
  let last: number | null = null;
  for (const row of rows) {
    checkRow(decision, row, findings);
    digest.update(`${row.body}\n`);
    first ??= row.t;
    last = row.t;
    found++;
  }
  checkNoneAfter(db, seq, canary, upTo, findings);
  if (found === 0 && count !== 0) {
    const pruned = pruningOf(db, canary, decision);
    if (pruned === null) {
      findings.bad(seq, `verdict on ${canary}: its observations are missing, and no entry says that they were pruned`);
    } else {
      findings.unchecked(
        `entry ${seq}: verdict on ${canary}: its ${count} observations were pruned on ${pruned.day} by retention (entry ${pruned.seq})`,
      );
    }
    return;
  }
  findings.checked.decisions++;
  findings.checked.observations += found;
  const verdict = `verdict on ${canary}`;
  if (found !== count) findings.bad(seq, `${verdict}: judged ${count} observations, ${found} are recorded`);
  else if (digest.digest('hex') !== decision.digest)
    findings.bad(seq, `${verdict}: recorded observations differ from those it judged`);
  else if (first !== decision.firstAt || last !== decision.lastAt)
    findings.bad(seq, `${verdict}: times of its observations differ from those it judged`);
}

/** lukhas records nothing after the decision, so such observations were inserted. */
function checkNoneAfter(db: Database, seq: number, canary: string, upTo: number, findings: Findings): void {
  const after = db
    .prepare<[string, number], number>('SELECT count(*) FROM canary_metrics WHERE canary = ? AND tick > ?')
    .pluck()
    .get(canary, upTo);
  if (after) findings.bad(seq, `verdict on ${canary}: observations recorded after it (${after})`);
}

/** The entry after the decision which says that just these observations were deleted; its own hash is checked with all others. */
function pruningOf(db: Database, canary: string, decision: Decision): { seq: number; day: string } | null {
  const rows = db
    .prepare<[string, number], { seq: number; body: string }>(
      "SELECT seq, body FROM events WHERE subject = ? AND kind = 'canary.pruned' AND seq > ? ORDER BY seq",
    )
    .all(canary, decision.seq);
  for (const { seq, body } of rows) {
    const event = parse(body);
    if (!isRecord(event) || !isRecord(event['data'])) continue;
    const { observations } = event['data'];
    if (!isRecord(observations)) continue;
    if (observations['count'] === decision.count && observations['digest'] === decision.digest)
      return { seq, day: String(event['ts']).slice(0, 10) };
  }
  return null;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function checkRow({ seq, canary }: Decision, { tick, t, body }: ObservationRow, findings: Findings): void {
  const observation = parse(body);
  const same = isRecord(observation) && observation.tick === tick && observation.t === t;
  if (!same) findings.bad(seq, `the observation of ${canary} at tick ${tick} does not match its row`);
  else if (canonical(observation) !== body) {
    findings.bad(seq, `the observation of ${canary} at tick ${tick} is not canonical JSON (RFC 8785)`);
  }
}

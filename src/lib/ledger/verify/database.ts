import type { Database } from 'better-sqlite3';
import { type Clock, systemClock } from '../../clock.js';
import { errorCode, ledgerError } from '../sqlite/errors.js';
import { openConnection } from '../sqlite/open.js';
import { schemaDifferences } from '../sqlite/schema-check.js';
import { checkDecision, decisionOf } from './decisions.js';
import { EntryChecker, type EntryRow } from './entries.js';
import { Findings, type VerifyReport } from './findings.js';
import { checkPolicy } from './policies.js';
import { FutureEntries } from './times.js';

export type { VerifyReport };

const PAGE = 1000;

/** Who wants to know what the log was at earlier sizes. */
export interface SizeWatch {
  sizes: ReadonlySet<number>;
  /** @param root RFC 6962 root over the first `size` entries, recomputed */
  take(size: number, root: Buffer): void;
}

export interface VerifyOptions {
  watch?: SizeWatch | null;
  /** Tells what is old, and what is later than now; the system's when left out. */
  clock?: Pick<Clock, 'now'>;
}

/**
 * Recomputes everything that the log claims, with code of its own: shares no hashing, tree, or reading with what
 * wrote it. A log that does not hold is a report, not an error; nor is a database with another schema than lukhas makes.
 * @throws LukhasError LEDGER_UNAVAILABLE, LEDGER_CORRUPT (not a database), LEDGER_TOO_NEW, LEDGER_READ_ONLY
 */
export async function verifyDatabase(
  path: string,
  { watch = null, clock = systemClock() }: VerifyOptions = {},
): Promise<VerifyReport> {
  const connection = await openConnection(path, { readOnly: true, anySchema: true });
  const findings = new Findings();
  const entries = new EntryChecker(findings);
  try {
    connection.db.pragma(`busy_timeout = ${connection.busyTimeoutMs}`);
    // One transaction, so that everything read is of one moment.
    connection.db.exec('BEGIN');
    await checkAll(connection.db, { entries, findings, watch, now: clock.now() });
  } catch (error) {
    if (!/^SQLITE_(CORRUPT|NOTADB|IOERR|ERROR)/.test(errorCode(error))) throw ledgerError(error, connection.path);
    findings.bad(entries.next, `the database cannot be read from here on (${(error as Error).message})`);
  } finally {
    connection.db.close();
  }
  return findings.report(entries.size, entries.root());
}

interface Verification {
  entries: EntryChecker;
  findings: Findings;
  watch: SizeWatch | null;
  /** ms since the epoch */
  now: number;
}

async function checkAll(db: Database, { entries, findings, watch, now }: Verification): Promise<void> {
  const passed = () => watch?.sizes.has(entries.size) && watch.take(entries.size, entries.root());
  // Whoever changed the schema decides what every row says.
  for (const difference of schemaDifferences(db)) findings.problem(difference);
  const future = new FutureEntries(now);
  passed();
  const page = db.prepare<[number], EntryRow>(
    `SELECT seq, ts, kind, subject, hash, nodes, body FROM events WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`,
  );
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = page.all(after);
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const row of rows) {
      const event = entries.check(row);
      const decision = decisionOf(row.seq, event);
      if (decision) checkDecision(db, decision, { findings, now });
      checkPolicy(row.seq, event, findings);
      future.take(row);
      passed();
    }
    after = last.seq;
    await new Promise((resolve) => setImmediate(resolve));
  }
  future.tell(findings);
  checkEnd(db, entries, findings);
  checkFile(db, findings);
  noteUndecided(db, findings);
}

/** Entries cut off at the end leave no gap; the listing, written with them, remembers. */
function checkEnd(db: Database, entries: EntryChecker, findings: Findings): void {
  const head = db
    .prepare<[], { subject: string; last: number }>(
      'SELECT subject, last_seq AS last FROM heads ORDER BY last_seq DESC LIMIT 1',
    )
    .get();
  if (head === undefined || head.last < entries.next) return;
  findings.bad(entries.next, `missing: the listing of ${head.subject} was made from entry ${head.last}`);
}

/** Indexes are how entries are found: one that disagrees with its table hides them. */
function checkFile(db: Database, findings: Findings): void {
  const lines = db.pragma('integrity_check(10)') as { integrity_check: string }[];
  for (const { integrity_check: line } of lines) {
    if (line !== 'ok') findings.problem(`the database file is damaged: ${line}`);
  }
}

function noteUndecided(db: Database, findings: Findings): void {
  const count = db
    .prepare<[], number>(
      `SELECT count(*) FROM (SELECT DISTINCT canary FROM canary_metrics)
       WHERE NOT EXISTS (SELECT 1 FROM events WHERE subject = canary AND kind = 'canary.decided')`,
    )
    .pluck()
    .get();
  if (count) findings.unchecked(`observations of ${count} canaries without a decision: no entry commits to them yet`);
}

import type { Database } from 'better-sqlite3';
import { type Clock, systemClock } from '../../clock.js';
import { errorCode, ledgerError } from '../sqlite/errors.js';
import { type Connection, openConnection } from '../sqlite/open.js';
import { schemaDifferences } from '../sqlite/schema-check.js';
import { checkDecision, decisionOf } from './decisions.js';
import { EntryChecker, type EntryRow } from './entries.js';
import { Findings, type VerifyReport } from './findings.js';
import { checkPolicy } from './policies.js';
import { checkTables } from './tables.js';
import { FutureEntries } from './times.js';

export type { VerifyReport };

const PAGE = 1000;

/** Asks for the log's roots at earlier sizes. */
export interface SizeWatch {
  sizes: ReadonlySet<number>;
  /** @param root RFC 6962 root over the first `size` entries, recomputed */
  take(size: number, root: Buffer): void;
}

export interface VerifyOptions {
  watch?: SizeWatch | null;
  /** Decides what is old, and what is dated in the future; default: the system clock. */
  clock?: Pick<Clock, 'now'>;
  /** Checks the tables beside the log too. Default false. */
  tables?: boolean;
  /**
   * With `tables`, and if the log has no problems: compares them with what its entries mean, which this folder does not know, on
   * the same connection and as of the same moment.
   */
  derived?: (connection: Connection, tell: Pick<Findings, 'table' | 'unchecked'>) => Promise<void>;
}

/**
 * Recomputes everything that the log claims, with independent code: shares no hashing, tree or reading with what writes the
 * log. A damaged log gives a report, not an error; so does a database with a different schema than lukhas creates.
 * @throws LukhasError LEDGER_UNAVAILABLE, LEDGER_CORRUPT (not a database), LEDGER_TOO_NEW, LEDGER_READ_ONLY
 */
export async function verifyDatabase(
  path: string,
  { watch = null, clock = systemClock(), tables = false, derived }: VerifyOptions = {},
): Promise<VerifyReport> {
  const connection = await openConnection(path, { readOnly: true, anySchema: true });
  const findings = new Findings();
  const entries = new EntryChecker(findings);
  try {
    connection.db.pragma(`busy_timeout = ${connection.busyTimeoutMs}`);
    // One transaction, so that everything is read as of one moment.
    connection.db.exec('BEGIN');
    await checkAll(connection.db, { entries, findings, watch, now: clock.now() });
    if (tables && findings.ok) {
      await checkTables(connection.db, entries.size, findings);
      await derived?.(connection, findings);
    }
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
  const noteRoot = () => watch?.sizes.has(entries.size) && watch.take(entries.size, entries.root());
  // A changed schema (a view or trigger, say) can change what every row reads as.
  for (const difference of schemaDifferences(db)) findings.problem(difference);
  const future = new FutureEntries(now);
  noteRoot();
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
      if (decision) checkDecision(db, decision, findings);
      checkPolicy(row.seq, event, findings);
      future.take(row);
      noteRoot();
    }
    after = last.seq;
    await new Promise((resolve) => setImmediate(resolve));
  }
  future.report(findings);
  checkEnd(db, entries, findings);
  checkFile(db, findings);
  noteUndecided(db, findings);
}

/** Entries cut off at the end leave no gap, but the summaries, written with them, still refer to them. */
function checkEnd(db: Database, entries: EntryChecker, findings: Findings): void {
  const summary = db
    .prepare<[], { subject: string; last: number }>(
      'SELECT subject, last_seq AS last FROM heads ORDER BY last_seq DESC LIMIT 1',
    )
    .get();
  if (summary === undefined || summary.last < entries.next) return;
  findings.bad(entries.next, `missing: the listing row of ${summary.subject} refers to entry ${summary.last}`);
}

/** Entries are found through indexes: an index that disagrees with its table hides entries. */
function checkFile(db: Database, findings: Findings): void {
  const lines = db.pragma('integrity_check(10)') as { integrity_check: string }[];
  for (const { integrity_check: line } of lines) {
    // The index of words is made from the log: losing it loses nothing.
    if (/\bFTS5\b|documents_text/.test(line)) findings.table(`documents_text: ${line}`);
    else if (line !== 'ok') findings.problem(`the database file is damaged: ${line}`);
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
  if (count)
    findings.unchecked(
      `canary_metrics: observations of canaries without a verdict (${count}): no entry commits to them, but how such a canary stands, and what its verdict will be, rests on them`,
    );
}

import type { Database } from 'better-sqlite3';
import { canonical, isRecord } from './entries.js';
import type { Findings } from './findings.js';

/** Rows read at once. */
const PAGE = 1000;

/**
 * What no row of the log tells, table by table. Each line begins with the name of the table, or of the table and its column.
 * A table is checked (here, in the checks of the log, or against the log by whoever knows what its entries mean) or is named
 * here: test/lib/app/derived/every-column.test.ts goes through all of them.
 */
const NOT_CHECKED: Readonly<Record<string, string>> = {
  cursors:
    'cursors: where metric sources stood at the last check of a canary that runs; a wrong one makes its next check count the wrong requests',
  leases:
    'leases: which process drives what, and until when; a wrong one makes a driver wait, take over too soon, or report a job as lost',
  lease_terms:
    'lease_terms: when each lease ends by the monotonic clock of its holder; a wrong one has the effects of a wrong lease',
  observation_feed:
    'observation_feed.row, seq, and sqlite_sequence: between which entries an observation was recorded (its order in the event stream); only ranges are checked',
  documents:
    'documents.doc: which of two search results that fit equally well is the newer one; only the order of pages and results',
  documents_text:
    'documents_text_data, documents_text_idx, documents_text_docsize.sz and documents_text_config: which words lead to which document; only their structure is checked (to be sure: lukhas db rebuild)',
};

/**
 * Checks the tables beside the log by themselves: that observations and their order belong together, and that the index of
 * words belongs to the documents. The log must have been verified.
 */
export async function checkTables(db: Database, size: number, findings: Findings): Promise<void> {
  const has = (name: string) => tableCount(db).get(name) === 1;
  for (const [table, text] of Object.entries(NOT_CHECKED)) if (has(table)) findings.unchecked(text);
  await checkUndecided(db, findings);
  if (has('observation_feed')) await checkFeed(db, size, findings);
  if (has('documents')) checkDocuments(db, size, findings);
}

const tableCount = (db: Database) =>
  db.prepare<[string], number>("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?").pluck();

/** Observations that no verdict commits to can only be compared with themselves. */
async function checkUndecided(db: Database, findings: Findings): Promise<void> {
  const canaries = db
    .prepare<[], { canary: string; known: number }>(`
      SELECT canary, EXISTS (SELECT 1 FROM events WHERE subject = canary) AS known
      FROM (SELECT DISTINCT canary FROM canary_metrics)
      WHERE NOT EXISTS (SELECT 1 FROM events WHERE subject = canary AND kind = 'canary.decided')`)
    .all();
  const rows = db.prepare<[string], { tick: number; t: number; body: string }>(
    'SELECT tick, t, body FROM canary_metrics WHERE canary = ? ORDER BY tick',
  );
  for (const { canary, known } of canaries) {
    if (known === 0) findings.table(`canary_metrics: has observations of ${canary}, but the log has no such canary`);
    for (const { tick, t, body } of rows.iterate(canary)) {
      if (isOwn(body, tick, t)) continue;
      findings.table(`canary_metrics: the observation of ${canary} at tick ${tick} does not match its row`);
    }
    await othersTurn();
  }
}

function isOwn(body: string, tick: number, t: number): boolean {
  let observation: unknown;
  try {
    observation = JSON.parse(body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (!isRecord(observation) || canonical(observation) !== body) return false;
  return observation['tick'] === tick && observation['t'] === t;
}

interface FeedRow {
  row: number;
  seq: number;
  canary: string;
  tick: number;
  recorded: number;
}

/** Each observation has one row, and each row its observation, unless all of a canary were pruned, as an entry says. */
async function checkFeed(db: Database, size: number, findings: Findings): Promise<void> {
  const page = db.prepare<[number], FeedRow>(`
    SELECT f.row, f.seq, f.canary, f.tick, m.canary IS NOT NULL AS recorded FROM observation_feed f
    LEFT JOIN canary_metrics m ON m.canary = f.canary AND m.tick = f.tick
    WHERE f.row > ? ORDER BY f.row LIMIT ${PAGE}`);
  const pruned = db
    .prepare<[string, string], number>(`
      SELECT EXISTS (SELECT 1 FROM events WHERE subject = ? AND kind = 'canary.pruned')
        AND NOT EXISTS (SELECT 1 FROM canary_metrics WHERE canary = ?)`)
    .pluck();
  let last = { row: Number.MIN_SAFE_INTEGER, seq: 0 };
  let recorded = 0;
  for (;;) {
    const rows = page.all(last.row);
    for (const found of rows) {
      const { row, seq, canary, tick } = found;
      if (seq < last.seq || seq > size) findings.table(`observation_feed: row ${row} is not in the order of the log`);
      if (found.recorded === 1) recorded++;
      else if (pruned.get(canary, canary) !== 1)
        findings.table(`observation_feed: row ${row} is of tick ${tick} of ${canary}, which is not recorded`);
      last = found;
    }
    if (rows.length === 0) break;
    await othersTurn();
  }
  checkFeedCount(db, recorded, findings);
  const next = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'observation_feed'").pluck().all();
  if (next.length > 1 || (next[0] ?? 0) < last.row)
    findings.table('sqlite_sequence: would number an observation like one that is there');
}

function checkFeedCount(db: Database, recorded: number, findings: Findings): void {
  const twice = db
    .prepare<[], { canary: string; tick: number; rows: number }>(
      'SELECT canary, tick, count(*) AS rows FROM observation_feed GROUP BY canary, tick HAVING count(*) > 1',
    )
    .all();
  for (const { canary, tick } of twice)
    findings.table(`observation_feed: has tick ${tick} of ${canary} more than once`);
  const total = db.prepare<[], number>('SELECT count(*) FROM canary_metrics').pluck().get() ?? 0;
  const known = recorded - twice.reduce((sum, { rows }) => sum + rows - 1, 0);
  if (known < total) findings.table(`observation_feed: lacks ${total - known} of ${total} observations`);
}

function checkDocuments(db: Database, size: number, findings: Findings): void {
  const states = db.prepare<[], { row: number; seq: number }>('SELECT row, seq FROM documents_state').all();
  const [state] = states;
  if (state === undefined) findings.table('documents_state: its row is missing: searches fail');
  else if (states.length > 1 || state.row !== 1) findings.table('documents_state: has more than its one row, 1');
  else if (state.seq < 0 || state.seq > size)
    findings.table(`documents_state: says that ${state.seq} entries are indexed; the log has ${size}`);
  const lacking = db
    .prepare<[], number>(`
      SELECT count(*) FROM documents WHERE NOT EXISTS (SELECT 1 FROM documents_text_docsize WHERE id = doc)`)
    .pluck()
    .get();
  if (lacking) findings.table(`documents_text: lacks the words of ${lacking} documents`);
  const extra = db
    .prepare<[], number>(`
      SELECT count(*) FROM documents_text_docsize AS s WHERE NOT EXISTS (SELECT 1 FROM documents WHERE doc = s.id)`)
    .pluck()
    .get();
  if (extra) findings.table(`documents_text: has words of ${extra} documents that are not there`);
  const misplaced = db
    .prepare<[], number>("SELECT count(*) FROM documents WHERE (doc < 0) IS NOT (id GLOB 'doc:*')")
    .pluck()
    .get();
  if (misplaced) findings.table(`documents: ${misplaced} numbers are not those of pages and entries`);
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

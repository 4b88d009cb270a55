import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { verifyAll } from '../../../../src/lib/app/verification.js';
import { advance } from '../../../../src/lib/canary/advance.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { Jobs } from '../../../../src/lib/jobs/jobs.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { Search } from '../../../../src/lib/search/search.js';
import { cases } from '../../../cases.js';
import { ACTOR, driver, HEALTHY, scripted } from '../../canary/harness.js';
import { Bench, GATE, MODEL } from '../../gates/promotion-place.js';
import { Unguarded } from '../../ledger/sqlite/unguarded.js';

/**
 * What `verify` does about each column of each table: it finds another value (`checked`), or says that the table, or the column,
 * is not checked (`told`). A new table or column has to be put here, once somebody has decided.
 */
const COLUMNS: Record<string, Record<string, 'checked' | 'told'>> = {
  events: all('checked', 'seq', 'ts', 'kind', 'subject', 'hash', 'nodes', 'body'),
  canary_metrics: all('checked', 'canary', 'tick', 't', 'body'),
  cursors: all('told', 'canary', 'body'),
  leases: all('told', 'subject', 'holder', 'expires_at'),
  lease_terms: all('told', 'subject', 'holder', 'expires_at', 'clock', 'until', 'ttl'),
  heads: all(
    'checked',
    'subject',
    'type',
    'state',
    'model',
    'open',
    'first_seq',
    'last_seq',
    'created_at',
    'updated_at',
    'data',
  ),
  observation_feed: { row: 'told', seq: 'told', canary: 'checked', tick: 'checked' },
  sqlite_sequence: { name: 'checked', seq: 'told' },
  documents: { doc: 'told', id: 'checked', title: 'checked', body: 'checked' },
  // `seq` and `made` say what of the index can be compared: what cannot is told.
  documents_state: { row: 'checked', seq: 'told', made: 'told' },
  documents_text: { title: 'checked', body: 'checked', documents_text: 'told', rank: 'told' },
  documents_text_data: all('told', 'id', 'block'),
  documents_text_idx: all('told', 'segid', 'term', 'pgno'),
  documents_text_docsize: { id: 'checked', sz: 'told' },
  documents_text_config: all('told', 'k', 'v'),
  row_counts: all('checked', 'name', 'count'),
};

function all<T>(what: T, ...columns: string[]): Record<string, T> {
  return Object.fromEntries(columns.map((column) => [column, what]));
}

interface Column {
  name: string;
  type: string;
  pk: number;
}

const columnsOf = (db: Database.Database, table: string) => db.pragma(`table_info(${table})`) as Column[];
const tablesOf = (db: Database.Database) =>
  db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all() as string[];

/** Rows to try: the first, one in the middle, the last. */
function rowsOf(db: Database.Database, table: string): string[] {
  const keys = columnsOf(db, table).filter(({ pk }) => pk > 0);
  const names = keys.length === 0 ? ['rowid'] : keys.map(({ name }) => name);
  const select = names.map((name) => `quote(${name})`).join(" || ' ' || ");
  const rows = db.prepare(`SELECT ${names.map((n) => `quote(${n}) AS ${n}`).join(', ')}, ${select} AS k FROM ${table}`);
  const found = (rows.all() as Record<string, string>[]).map((row) =>
    names.map((name) => `${name} = ${row[name]}`).join(' AND '),
  );
  return [...new Set([found[0], found[Math.floor(found.length / 2)], found.at(-1)])].filter((w) => w !== undefined);
}

/** Other values of the same storage class. */
function others(db: Database.Database, table: string, column: string, where: string): string[] {
  const type = db.prepare(`SELECT typeof(${column}) FROM ${table} WHERE ${where}`).pluck().get();
  if (type === 'integer' || type === 'real') return [`${column} + 1`, `${column} - 1`, `${column} + 100000`];
  if (type === 'blob') return [`CAST(${column} AS BLOB) || x'00'`, `zeroblob(length(${column}))`];
  if (type === 'null') return [`x'00'`];
  const json = column === 'body' || column === 'data';
  return [`${column} || 'x'`, ...(json ? [`replace(replace(${column}, '1', '2'), 'a', 'b')`] : [])];
}

describe('verify, column by column', function () {
  this.timeout(120_000);
  let folder: string;
  let whole: string;
  let undecided: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lukhas-columns-'));
    whole = join(folder, 'whole.db');
    await writeSomeOfEverything(whole);
    const db = new Database(whole, { readonly: true });
    undecided = db
      .prepare(`SELECT DISTINCT canary FROM canary_metrics
        WHERE canary NOT IN (SELECT subject FROM events WHERE kind = 'canary.decided')`)
      .pluck()
      .all() as string[];
    db.close();
    expect(undecided).to.have.length.above(0);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** The database with one edit, as `verify` reports it; null when SQLite itself refuses the edit. */
  async function edited(sql: string) {
    const path = join(folder, 'edited.db');
    await copyFile(whole, path);
    const file = new Unguarded(path);
    let changed = true;
    try {
      file.db.unsafeMode();
      file.db.pragma('ignore_check_constraints = ON');
      changed = file.db.prepare(sql).run().changes > 0;
      file.db.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (!/^SQLITE_(CONSTRAINT|MISMATCH|READONLY|ERROR)/.test((error as { code?: string }).code ?? '')) throw error;
      return null;
    } finally {
      file.close();
    }
    return changed ? verifyAll(path) : null;
  }

  it('finds no problem in what lukhas wrote, and names the tables that it does not check', async () => {
    const { problems, ok, logHolds, notChecked } = await verifyAll(whole);
    expect(problems).to.deep.equal([]);
    expect([ok, logHolds]).to.deep.equal([true, true]);
    for (const table of [
      'cursors',
      'leases',
      'lease_terms',
      'observation_feed',
      'documents_text_data',
      'canary_metrics',
    ])
      expect(notChecked.join('\n')).to.match(new RegExp(`^${table}\\b`, 'm'));
  });

  it('has an answer for every table and column of the schema', () => {
    const db = new Database(whole, { readonly: true });
    const found = Object.fromEntries(
      tablesOf(db).map((table) => [
        table,
        (db.pragma(`table_xinfo(${table})`) as Column[]).map(({ name }) => name).sort(),
      ]),
    );
    for (const table of tablesOf(db))
      expect(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(), `rows of ${table}`).to.be.above(0);
    db.close();
    const decided = Object.entries(COLUMNS).map(([table, columns]) => [table, Object.keys(columns).sort()]);
    expect(found).to.deep.equal(Object.fromEntries(decided));
  });

  for (const [table, columns] of Object.entries(COLUMNS))
    for (const [column, what] of Object.entries(columns)) {
      // The table of words is a view of the others; its hidden columns take commands.
      if (table === 'documents_text') continue;
      it(`${table}.${column}: ${what === 'checked' ? 'another value is found' : 'is told, if another value is not found'}`, async () => {
        const db = new Database(whole, { readonly: true });
        const edits = rowsOf(db, table).flatMap((where) =>
          others(db, table, column, where).map((value) => `UPDATE ${table} SET ${column} = ${value} WHERE ${where}`),
        );
        db.close();
        await tryEach(edits, { table, column, what });
      });
    }

  for (const table of Object.keys(COLUMNS))
    it(`${table}: a row that was deleted, or added, is found or told`, async () => {
      const db = new Database(whole, { readonly: true });
      const names = columnsOf(db, table).map(({ name }) => name);
      const told = Object.values(COLUMNS[table] ?? {}).every((w) => w === 'told');
      const keys = columnsOf(db, table).filter(({ pk }) => pk > 0);
      const edits = rowsOf(db, table).flatMap((where) => {
        const other = names.map((name) => {
          const key = keys.length === 0 ? false : keys.some((k) => k.name === name);
          if (!key) return name;
          const type = db.prepare(`SELECT typeof(${name}) FROM ${table} WHERE ${where}`).pluck().get();
          return type === 'integer' ? `${name} + 100000` : `${name} || 'x'`;
        });
        return [
          `DELETE FROM ${table} WHERE ${where}`,
          ...(table === 'documents_text' ? [] : [`INSERT INTO ${table} SELECT ${other} FROM ${table} WHERE ${where}`]),
        ];
      });
      db.close();
      await tryEach(edits, { table, column: null, what: told ? 'told' : 'checked' });
    });

  /** Every edit that SQLite takes, or one in the middle. */
  async function tryEach(edits: string[], of: { table: string; column: string | null; what: string }) {
    const half = Math.floor(edits.length / 2);
    let tried = 0;
    for (const sql of [...edits.slice(half), ...edits.slice(0, half)]) {
      const report = await edited(sql);
      if (report === null) continue;
      expectAnswer(report, { ...of, sql });
      if (++tried === cases(100, 1)) break;
    }
    expect(tried).to.be.above(0);
  }

  function expectAnswer(
    { problems, notChecked, ok }: Awaited<ReturnType<typeof verifyAll>>,
    { table, column, what, sql }: { table: string; column: string | null; what: string; sql: string },
  ) {
    if (!ok) return expect(problems.join('\n'), sql).not.to.equal('');
    const word = column === null || COLUMNS[table]?.[column] === 'told' ? table : 'nothing';
    // Nothing commits to what was observed of canaries without a verdict.
    const open = table === 'canary_metrics' && undecided.some((canary) => sql.includes(canary));
    expect(what === 'told' || open, `${sql}: neither found nor told`).to.equal(true);
    return expect(notChecked.join('\n'), sql).to.match(new RegExp(`\\b${open ? table : word}\\b`));
  }
});

/** Canaries of every end and two that run, promotions, jobs, a lease, and an index for searches. */
async function writeSomeOfEverything(path: string): Promise<void> {
  const bench = await Bench.begin();
  try {
    const { ledger, clock } = bench;
    for (const story of ['proved', 'overridden', 'rolled back', 'blocked', 'aborted', 'failed'] as const)
      await bench.canary(story);
    await bench.canary('proved');
    await bench.rival();
    await bench.promotions().promote({ modelId: MODEL, gate: GATE, dryRun: false, by: ACTOR });
    const running = await bench.canary('running');
    const context = driver({ ledger, clock, source: scripted(clock, () => HEALTHY) });
    for (let look = 0; look < 3; look++) {
      const next = await advance(context, running);
      clock.time = next ?? clock.time;
    }
    const jobs = new Jobs(ledger, systemClock(), {
      smoke: { command: ['true'], timeoutSeconds: 60, env: {} } as never,
    });
    await jobs.start({ taskId: 'smoke', configId: null, dryRun: false, by: ACTOR });
    await new Search(ledger, async () => '').catchUp();
    await new Promise((resolve) => setImmediate(resolve));
    const raw = new Database(bench.at.path);
    raw.pragma('wal_checkpoint(TRUNCATE)');
    raw.close();
    await copyFile(bench.at.path, path);
    const copy = await openLedger(path);
    await copy.close();
  } finally {
    await bench.end();
  }
}

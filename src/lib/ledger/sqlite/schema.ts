import type { Database } from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import { FIRST_ENTRIES_INDEX, ROW_COUNTS_SCHEMA } from './derived-schema.js';
import { DOCUMENTS_SCHEMA } from './documents-schema.js';

/** Marks the file as ours in its header: "lukh". */
const APPLICATION_ID = 0x6c756b68;

/**
 * Each entry brings the schema from version i to i + 1 (PRAGMA user_version). Never edited once released: a change is
 * a new entry.
 *
 * `events.body` holds the canonical bytes of the whole event; `hash` its leaf hash, and `nodes` the hashes of the
 * perfect subtrees it completes (level 1 upwards, 32 bytes each, NULL for none). Node (level, index) is thus in the
 * row of the last leaf it covers, so an append writes one row, and what guards the entry guards its nodes.
 *
 * INSERT OR REPLACE deletes without firing delete triggers, hence the insert triggers.
 *
 * What they make is compared with what a database has (sqlite-schema-check.ts): names follow CREATE and its kind after
 * single spaces, and triggers alone have semicolons inside.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    ts TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    hash BLOB NOT NULL,
    nodes BLOB,
    body TEXT NOT NULL
  ) STRICT;
  -- The rowid, which is seq, is the last part of every index.
  CREATE INDEX events_by_subject ON events (subject);
  CREATE TRIGGER events_append_only BEFORE INSERT ON events
    WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM events)
    BEGIN SELECT RAISE(ABORT, 'events are only appended, in sequence'); END;
  CREATE TRIGGER events_no_update BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
  CREATE TRIGGER events_no_delete BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

  CREATE TABLE canary_metrics (
    canary TEXT NOT NULL,
    tick INTEGER NOT NULL,
    t REAL NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (canary, tick)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER canary_metrics_no_replace BEFORE INSERT ON canary_metrics
    WHEN EXISTS (SELECT 1 FROM canary_metrics WHERE canary = NEW.canary AND tick = NEW.tick)
    BEGIN SELECT RAISE(ABORT, 'this tick is already recorded'); END;
  CREATE TRIGGER canary_metrics_no_update BEFORE UPDATE ON canary_metrics
    BEGIN SELECT RAISE(ABORT, 'observations are never changed'); END;

  CREATE TABLE cursors (canary TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE leases (
    canary TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE heads (
    subject TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    model TEXT NOT NULL,
    open INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    data TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX heads_by_state ON heads (type, state);
  CREATE INDEX heads_open ON heads (type) WHERE open = 1;
  CREATE INDEX heads_by_age ON heads (type, first_seq);
  PRAGMA application_id = ${APPLICATION_ID};
  `,
  // Numbers observations in the order of their commits, and says between which events they fell. Can be built again
  // from the rest, as it is here for what was recorded before: by time. AUTOINCREMENT: a number is never used twice,
  // also when the newest rows have been pruned.
  `
  CREATE TABLE observation_feed (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL,
    canary TEXT NOT NULL,
    tick INTEGER NOT NULL
  ) STRICT;
  INSERT INTO observation_feed (seq, canary, tick)
    SELECT seq, canary, tick FROM (
      -- The events that were there before: those of which none up to them is later. A sort, whatever the size.
      SELECT sum(canary IS NULL) OVER (ORDER BY at, canary, tick) AS seq, at, canary, tick FROM (
        SELECT max((julianday(ts) - 2440587.5) * 86400000) OVER (ORDER BY seq) AS at, NULL AS canary, seq AS tick
          FROM events
        UNION ALL SELECT t, canary, tick FROM canary_metrics))
    WHERE canary IS NOT NULL ORDER BY at, canary, tick;
  `,
  // A model's rows are found without reading those of all others; what is found by words is derived from the rest.
  `
  CREATE INDEX heads_by_model ON heads (model, type, first_seq);
  ${DOCUMENTS_SCHEMA}
  `,
  // Not canaries alone have leases: jobs, promotions and gates do too.
  `
  ALTER TABLE leases RENAME COLUMN canary TO subject;
  `,
  // A listing row that is lost or altered must not hide what the log holds.
  `
  ${FIRST_ENTRIES_INDEX}
  ${ROW_COUNTS_SCHEMA}
  UPDATE row_counts SET count = (SELECT count(*) FROM documents);
  INSERT INTO row_counts SELECT type || ' ' || state, count(*) FROM heads GROUP BY type, state;
  `,
  // How long a lease lasts by the monotonic clock of its holder. A table of its own: a version that does not know it and
  // still runs changes a lease without its term, which then no longer fits to it.
  `
  CREATE TABLE lease_terms (
    subject TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at REAL NOT NULL,
    clock TEXT,
    until REAL NOT NULL,
    ttl REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Whether the file holds a ledger of this version; false when it is empty, or of an older one. */
export function isCurrent(db: Database, path: string): boolean {
  return formatOf(db, path) === MIGRATIONS.length;
}

/** The log and its observations are read alike in every version; what later ones added is for those that write. */
export function isReadable(db: Database, path: string): boolean {
  return formatOf(db, path) > 0;
}

/** A column that came with each version: by them one tells which version a file without numbers has. */
const COLUMN_OF_VERSION = [
  ['events', 'seq'],
  ['observation_feed', 'row'],
  ['documents', 'doc'],
  ['leases', 'subject'],
  ['row_counts', 'name'],
  ['lease_terms', 'subject'],
] as const;

/** Version of a ledger that does not say that it is one: `.dump` of the sqlite3 program leaves the numbers out. Null: no ledger. */
function unsaidVersion(db: Database): number | null {
  if (pragma(db, 'application_id') !== 0) return null;
  const columns = db
    .prepare<[string, string], number>(`
      SELECT count(*) FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.name = ? AND c.name = ?`)
    .pluck();
  const has = (table: string, column: string) => columns.get(table, column) === 1;
  const missing = COLUMN_OF_VERSION.findIndex(([table, column]) => !has(table, column));
  const version = missing === -1 ? COLUMN_OF_VERSION.length : missing;
  return version > 0 && has('canary_metrics', 'tick') ? version : null;
}

/** @throws LukhasError LEDGER_UNAVAILABLE, LEDGER_TOO_NEW when it is none that this version knows */
function formatOf(db: Database, path: string): number {
  const version = pragma(db, 'user_version');
  const foreign = pragma(db, 'application_id') !== APPLICATION_ID && !isEmpty(db);
  const unsaid = foreign ? unsaidVersion(db) : null;
  if (unsaid !== null) {
    throw new LukhasError('LEDGER_UNAVAILABLE', `${path} has the tables of a ledger, but not its application_id`, {
      suggestions: [
        `If it was restored from a dump, run: sqlite3 FILE "PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${unsaid}", then: lukhas verify --db FILE`,
      ],
    });
  }
  if (foreign) {
    throw new LukhasError('LEDGER_UNAVAILABLE', `${path} is a database of another program, not a ledger of lukhas`, {
      suggestions: ['Choose another file with --db.'],
    });
  }
  if (version > MIGRATIONS.length) {
    throw new LukhasError(
      'LEDGER_TOO_NEW',
      `The ledger ${path} was written by a newer lukhas (format ${version}; this one knows ${MIGRATIONS.length})`,
      { suggestions: ['Upgrade lukhas, or choose another file with --db.'] },
    );
  }
  return version;
}

/** Brings an empty or older file to this version, in one transaction. */
export function migrate(db: Database, path: string): void {
  db.transaction(() => {
    // Asked again now that nobody else can write: another process may have done it meanwhile.
    if (isCurrent(db, path)) return;
    for (const step of MIGRATIONS.slice(pragma(db, 'user_version'))) db.exec(step);
    db.pragma(`user_version = ${MIGRATIONS.length}`);
  }).immediate();
}

function isEmpty(db: Database): boolean {
  return db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

function pragma(db: Database, name: string): number {
  return db.pragma(name, { simple: true }) as number;
}

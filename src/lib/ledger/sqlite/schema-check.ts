import type { Database, Statement } from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import { MIGRATIONS } from './schema.js';

/** A row of sqlite_schema (SQLite file format, 2.6). */
interface SchemaObject {
  type: string;
  name: string;
  /** The table that it belongs to, or is. */
  tbl: string;
  /** As it was written, from CREATE on, with single spaces before the name; null for what a constraint makes. */
  sql: string | null;
}

const table = (name: string, sql: string): SchemaObject => ({ type: 'table', name, tbl: name, sql });

/** What SQLite makes by itself beside a table. The texts of FTS5's own tables are part of its file format. */
const BESIDE: Readonly<Record<string, readonly SchemaObject[]>> = {
  observation_feed: [table('sqlite_sequence', 'CREATE TABLE sqlite_sequence(name,seq)')],
  documents: [{ type: 'index', name: 'sqlite_autoindex_documents_1', tbl: 'documents', sql: null }],
  documents_text: [
    table('documents_text_data', "CREATE TABLE 'documents_text_data'(id INTEGER PRIMARY KEY, block BLOB)"),
    table(
      'documents_text_idx',
      "CREATE TABLE 'documents_text_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
    ),
    table('documents_text_docsize', "CREATE TABLE 'documents_text_docsize'(id INTEGER PRIMARY KEY, sz BLOB)"),
    table('documents_text_config', "CREATE TABLE 'documents_text_config'(k PRIMARY KEY, v) WITHOUT ROWID"),
  ],
};

/** Of the command ANALYZE: how often values occur, by which SQLite plans. May be there. */
const STATISTICS: readonly SchemaObject[] = [
  table('sqlite_stat1', 'CREATE TABLE sqlite_stat1(tbl,idx,stat)'),
  table('sqlite_stat4', 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)'),
];

/** Statements of migrations as SQLite keeps them: up to the semicolon, with the names that columns got later. */
const TABLES = /CREATE (?:VIRTUAL )?TABLE (\w+)[^;]*(?=;)/g;
const INDEXES = /CREATE INDEX (\w+) ON (\w+)[^;]*(?=;)/g;
const TRIGGERS = /CREATE TRIGGER (\w+) [A-Z ]+ ON (\w+)\s[\s\S]*?\bEND(?=;)/g;
const RENAMED = /ALTER TABLE (\w+) RENAME COLUMN (\w+) TO (\w+)(?=;)/g;

/** Everything that a database of this version has. */
function expected(version: number): SchemaObject[] {
  const made = MIGRATIONS.slice(0, version).join('\n');
  const objects: SchemaObject[] = [];
  for (const [sql, name = ''] of made.matchAll(TABLES)) objects.push(table(name, sql), ...(BESIDE[name] ?? []));
  for (const [, name, from, to = ''] of made.matchAll(RENAMED)) {
    const changed = objects.find((object) => object.name === name);
    if (changed?.sql) changed.sql = changed.sql.replaceAll(new RegExp(`\\b${from}\\b`, 'g'), to);
  }
  for (const [sql, name = '', tbl = ''] of made.matchAll(INDEXES)) objects.push({ type: 'index', name, tbl, sql });
  for (const [sql, name = '', tbl = ''] of made.matchAll(TRIGGERS)) objects.push({ type: 'trigger', name, tbl, sql });
  return objects;
}

/**
 * Compares every table, view, index and trigger with those that the migrations make, by name and by text: a trigger that
 * guards nothing, a view in the place of a table, and a trigger that nobody asked for change what is read and written.
 * @returns the differences in words; none when it is the schema of the database's own version
 */
export function schemaDifferences(db: Database): string[] {
  const missing = new Map(expected(versionOf(db)).map((object) => [keyOf(object), object]));
  const differences: string[] = [];
  for (const found of rowsOf(db)) {
    const own = missing.get(keyOf(found)) ?? STATISTICS.find((object) => keyOf(object) === keyOf(found));
    missing.delete(keyOf(found));
    if (own === undefined) differences.push(`unknown ${wordsOf(found)}`);
    else if (own.sql !== found.sql || own.tbl !== found.tbl) differences.push(`the ${wordsOf(found)} was changed`);
  }
  return [...[...missing.values()].map((object) => `the ${wordsOf(object)} is missing`), ...differences];
}

/** @throws LukhasError LEDGER_CORRUPT with the first difference */
export function requireOwnSchema(db: Database, path: string): void {
  const [first] = schemaDifferences(db);
  if (first === undefined) return;
  throw new LukhasError('LEDGER_CORRUPT', `The schema of the ledger ${path} was changed: ${first}`, {
    suggestions: [
      'Run `lukhas verify --db FILE` to see every difference. Keep the file as it is and restore a backup, or remove what another program added.',
    ],
  });
}

/** Notices when the schema of an open database is changed (PRAGMA schema_version, which every such change raises). */
export class SchemaWatch {
  readonly #db: Database;
  readonly #path: string;
  readonly #version: Statement<[], number>;
  #compared: number | null = null;

  constructor(db: Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#version = db.prepare<[], number>('PRAGMA schema_version').pluck();
  }

  /** @throws LukhasError LEDGER_CORRUPT when it is no longer the one that lukhas made */
  check(): void {
    const version = this.#version.get() ?? null;
    if (version === this.#compared) return;
    requireOwnSchema(this.#db, this.#path);
    this.#compared = version;
  }
}

function versionOf(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number;
}

function rowsOf(db: Database): SchemaObject[] {
  return db.prepare<[], SchemaObject>('SELECT type, name, tbl_name AS tbl, sql FROM sqlite_schema').all();
}

/** Twice the same is once too many. */
function keyOf({ type, name }: SchemaObject): string {
  return `${type} ${name}`;
}

function wordsOf({ type, name, tbl }: SchemaObject): string {
  return type === 'trigger' || type === 'index' ? `${type} ${name} on ${tbl}` : `${type} ${name}`;
}

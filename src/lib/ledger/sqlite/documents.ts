import Sqlite, { type Database } from 'better-sqlite3';
import { Turns, turn } from '../../turns.js';
import type { Document, DocumentBatch, DocumentIndex, DocumentState, FoundDocument } from '../documents.js';
import { FIRST_KINDS, ROW_COUNTS_SCHEMA } from './derived-schema.js';
import { DOCUMENTS_SCHEMA } from './documents-schema.js';
import type { Work } from './group-commit.js';
import type { Connection } from './open.js';
import { AFTER_ANY_PREFIX } from './queries.js';

/** A word in the title counts as much as so many in the body. */
const TITLE_WEIGHT = 8;
/** An entry of the log, or a model, names canaries, and is shorter than they are: the canaries come first. */
const WEIGHT_BY_KIND = "CASE WHEN id GLOB 'event:*' OR id GLOB 'model:*' THEN 0.7 ELSE 1 END";
const CANDIDATES = 200;
const SNIPPET_TOKENS = 24;

/**
 * Ranks the newest of what fits, and the pages: a word that stands in everything would otherwise cost the more the
 * longer the log is. Rounded: of what fits about as well the newer comes first, and a page last.
 */
const BEST = `
  WITH fits AS (
    SELECT * FROM (
      SELECT rowid AS doc, bm25(documents_text, ${TITLE_WEIGHT}, 1) AS score FROM documents_text
      WHERE documents_text MATCH @expression AND rowid >= 0 ORDER BY rowid DESC LIMIT ${CANDIDATES})
    UNION ALL
    SELECT rowid, bm25(documents_text, ${TITLE_WEIGHT}, 1) FROM documents_text
    WHERE documents_text MATCH @expression AND rowid < 0)
  SELECT doc FROM fits JOIN documents USING (doc)
  ORDER BY round(score * ${WEIGHT_BY_KIND}, 1), doc DESC LIMIT @limit`;

/** Each that begins with such an entry has a document with such an id. */
const DOCUMENT_OF_FIRST = [
  ['canary.requested', 'canary:'],
  ['promotion.requested', 'promotion:'],
  ['job.queued', 'job:'],
] as const;

type Write = <T>(work: Work<T>) => Promise<T>;
type Read = <T>(query: () => T) => Promise<T>;

/** In the ledger's own database, through its queue; in memory where that may not be written. */
export class SqliteDocuments implements DocumentIndex {
  readonly #connection: Connection;
  readonly #write: Write;
  readonly #read: Read;
  #sql: ReturnType<typeof statements> | null = null;
  #memory: Database | null = null;

  constructor(connection: Connection, write: Write, read: Read) {
    this.#connection = connection;
    this.#write = write;
    this.#read = read;
  }

  state(): Promise<DocumentState> {
    return this.#read(() => this.#statements.state.get() as DocumentState);
  }

  write(batch: DocumentBatch): Promise<boolean> {
    return this.#change(() => this.#replace(batch));
  }

  get(id: string): Promise<Document | null> {
    return this.#read(() => (this.#statements.get.get(id) as Document | undefined) ?? null);
  }

  beginning(prefix: string, limit: number): Promise<Document[]> {
    // Text is compared by its UTF-8 bytes, so nothing that begins with the prefix lies beyond the last code point.
    return this.#read(() => this.#statements.beginning.all(prefix, prefix + AFTER_ANY_PREFIX, limit) as Document[]);
  }

  async match(expression: string, limit: number): Promise<FoundDocument[]> {
    await turn();
    const turns = new Turns();
    const best = await this.#read(() => this.#statements.best.all({ expression, limit }));
    const found: FoundDocument[] = [];
    // Snippets cost more than ranks: only those that are shown are made, each by a query of its own.
    for (const doc of best) {
      await turns.next();
      const row = await this.#read(() => this.#statements.found.get(expression, doc) as FoundDocument | undefined);
      // It may have been indexed anew since the ranking: then it has another place.
      if (row !== undefined) found.push({ ...row, snippet: row.snippet.replace(/\s+/g, ' ').trim() });
    }
    return found;
  }

  clear(): Promise<void> {
    return this.#change((db) => {
      db.exec(DOCUMENTS_SCHEMA);
      this.#statements.count.run(0);
    });
  }

  async isComplete(): Promise<boolean> {
    await turn();
    // Of one moment: others may be indexing.
    return this.#read(() => this.#connection.db.transaction(() => this.#isWhole())());
  }

  #isWhole(): boolean {
    const { counted, rows, words, state, size, begun, ofKind } = this.#statements;
    const count = counted.get();
    if (rows.get() !== count || words.get() !== count) return false;
    const { seq } = state.get() as DocumentState;
    // What goes on later is indexed then.
    if (size.get() !== seq) return true;
    // The number beside the documents could have been altered together with them; the entries are counted along their index.
    return DOCUMENT_OF_FIRST.every(
      ([kind, prefix]) => begun.get(kind) === ofKind.get(prefix, prefix + AFTER_ANY_PREFIX),
    );
  }

  close(): void {
    this.#memory?.close();
  }

  #change<T>(change: (db: Database) => T): Promise<T> {
    const db = this.#db;
    if (!this.#connection.readOnly) return this.#write({ run: () => change(db) });
    return this.#read(() => db.transaction(() => change(db))());
  }

  #replace({ from, to, documents, without }: DocumentBatch): boolean {
    const sql = this.#statements;
    const now = sql.state.get() as DocumentState;
    if (now.seq !== from.seq || now.made !== from.made) return false;
    let count = sql.counted.get() as number;
    if (without !== undefined) count -= sql.removeAll.run(without, without + AFTER_ANY_PREFIX).changes;
    for (const document of documents) {
      count += 1 - sql.remove.run(document.id).changes;
      sql.add.run(document);
    }
    sql.count.run(count);
    sql.move.run(to.seq, to.made);
    return true;
  }

  get #statements(): ReturnType<typeof statements> {
    this.#sql ??= statements(this.#db, this.#connection.db);
    return this.#sql;
  }

  get #db(): Database {
    if (!this.#connection.readOnly) return this.#connection.db;
    if (this.#memory === null) {
      this.#memory = new Sqlite(':memory:');
      this.#memory.exec(DOCUMENTS_SCHEMA + ROW_COUNTS_SCHEMA);
    }
    return this.#memory;
  }
}

/** @param log the connection to the log, where the documents are in memory */
function statements(db: Database, log: Database) {
  return {
    state: db.prepare('SELECT seq, made FROM documents_state'),
    move: db.prepare('UPDATE documents_state SET seq = ?, made = ?'),
    get: db.prepare('SELECT id, title, body FROM documents WHERE id = ?'),
    beginning: db.prepare('SELECT id, title, body FROM documents WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?'),
    remove: db.prepare('DELETE FROM documents WHERE id = ?'),
    removeAll: db.prepare('DELETE FROM documents WHERE id >= ? AND id < ?'),
    add: db.prepare(`
      INSERT INTO documents (doc, id, title, body)
      VALUES (CASE WHEN @id GLOB 'doc:*' THEN (SELECT min(0, coalesce(min(doc), 0)) - 1 FROM documents) END, @id, @title, @body)`),
    counted: db.prepare("SELECT count FROM row_counts WHERE name = 'documents'").pluck(),
    count: db.prepare("UPDATE row_counts SET count = ? WHERE name = 'documents'"),
    rows: db.prepare('SELECT count(*) FROM documents').pluck(),
    ofKind: db.prepare('SELECT count(*) FROM documents WHERE id >= ? AND id < ?').pluck(),
    size: log.prepare('SELECT coalesce(max(seq), -1) + 1 FROM events').pluck(),
    begun: log.prepare(`SELECT count(*) FROM events WHERE kind = ? AND kind IN ${FIRST_KINDS}`).pluck(),
    // One row for each document whose words are indexed.
    words: db.prepare('SELECT count(*) FROM documents_text_docsize').pluck(),
    best: db.prepare(BEST).pluck(),
    // Cast: numbers come from JavaScript as REAL, and FTS5 looks for a rowid only by an INTEGER.
    found: db.prepare(
      `SELECT id, d.title, snippet(documents_text, 1, '', '', '…', ${SNIPPET_TOKENS}) AS snippet
       FROM documents_text JOIN documents d ON d.doc = documents_text.rowid
       WHERE documents_text MATCH ? AND documents_text.rowid = CAST(? AS INTEGER)`,
    ),
  };
}

import type { Document, DocumentState } from '../documents.js';
import type { SummaryDraft } from '../ledger.js';
import { canonicalJson } from '../tree/index.js';
import type { Connection } from './open.js';
import { Queries } from './queries.js';

/** A listing row as it is written, before SQLite stores it. */
type Written = SummaryDraft & { firstSeq: number; lastSeq: number; createdAt: string; updatedAt: string };

/** Reads the derived tables as they are stored, for whoever compares them with the log. */
export class StoredRows {
  readonly #query: Queries;

  constructor({ db }: Connection) {
    this.#query = new Queries(db);
  }

  has(table: string): boolean {
    const sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?";
    return this.#query.value<number>(sql, table) === 1;
  }

  subjects(): string[] {
    return this.#query.column('SELECT subject FROM heads ORDER BY subject', []);
  }

  /** Whether there is a row of the subject, and each of its columns is as it is written. */
  isSummary(row: Written): boolean {
    const sql = `
      SELECT count(*) FROM heads WHERE subject = ? AND type = ? AND state = ? AND model = ? AND open = ? AND first_seq = ?
        AND last_seq = ? AND created_at = ? AND updated_at = ? AND data = ?`;
    const { subject, type, state, modelId, open, firstSeq, lastSeq, createdAt, updatedAt } = row;
    const data = canonicalJson(row.data, `head of ${subject}`);
    const values = [subject, type, state, modelId, open ? 1 : 0, firstSeq, lastSeq, createdAt, updatedAt, data];
    return this.#query.value<number>(sql, ...values) === 1;
  }

  documentIds(): string[] {
    return this.#query.column('SELECT id FROM documents ORDER BY id', []);
  }

  isDocument({ id, title, body }: Document): boolean {
    const sql = 'SELECT count(*) FROM documents WHERE id = ? AND title = ? AND body = ?';
    return this.#query.value<number>(sql, id, title, body) === 1;
  }

  /** How far searches are indexed; null when the row is missing. */
  documentState(): DocumentState | null {
    return this.#query.all<DocumentState>('SELECT seq, made FROM documents_state', [])[0] ?? null;
  }

  /** What was counted of the rows, by name. */
  counts(): Map<string, number> {
    const rows = this.#query.all<{ name: string; count: number }>('SELECT name, count FROM row_counts', []);
    return new Map(rows.map(({ name, count }) => [name, count]));
  }
}

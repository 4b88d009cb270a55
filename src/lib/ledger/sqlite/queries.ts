import type { Database, Statement } from 'better-sqlite3';

/** Text is compared by its UTF-8 bytes, so nothing that begins with a prefix lies beyond the last code point. */
export const AFTER_ANY_PREFIX = '\u{10ffff}';

/** Runs queries on one connection; every statement is prepared once. */
export class Queries {
  readonly #db: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  value<T>(sql: string, ...values: unknown[]): T | undefined {
    return this.column<T>(sql, values)[0];
  }

  column<T>(sql: string, values: readonly unknown[]): T[] {
    return this.#statement(sql, true).all(...values) as T[];
  }

  all<T>(sql: string, values: readonly unknown[]): T[] {
    return this.#statement(sql).all(...values) as T[];
  }

  #statement(sql: string, oneColumn = false): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (oneColumn) statement.pluck();
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

/** A WHERE clause with its values. */
export class Conditions {
  readonly #terms: string[] = [];
  readonly values: unknown[] = [];

  add(term: string, ...values: unknown[]): void {
    this.#terms.push(term);
    this.values.push(...values);
  }

  addAnyOf(column: 'kind' | 'state', values: readonly string[]): void {
    this.add(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
  }

  get where(): string {
    return this.#terms.length > 0 ? `WHERE ${this.#terms.join(' AND ')}` : '';
  }
}

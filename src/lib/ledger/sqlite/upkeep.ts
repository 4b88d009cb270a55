import type { Database } from 'better-sqlite3';
import type { DatabaseSpace, LedgerUpkeep } from '../upkeep.js';
import type { Work } from './group-commit.js';
import type { Connection } from './open.js';

/** Rows of the feed that one transaction looks at: some milliseconds. */
const FEED_ROWS = 5000;
/** Pages that one transaction gives back. */
const SHRINK_PAGES = 256;
/** Pages of the index of words that one transaction writes. */
const MERGE_PAGES = 64;

/** Each is found by a search of its own: counting the distinct ones would read every observation. */
const OBSERVED_CANARIES = `
  WITH RECURSIVE found (canary, n) AS (
    SELECT min(canary), 1 FROM canary_metrics WHERE canary > @after
    UNION ALL
    SELECT (SELECT min(canary) FROM canary_metrics WHERE canary > found.canary), n + 1 FROM found
      WHERE canary IS NOT NULL AND n < @limit)
  SELECT canary FROM found WHERE canary IS NOT NULL`;

const TIDY_FEED = `
  DELETE FROM observation_feed WHERE row > @after AND row <= @last AND NOT EXISTS (
    SELECT 1 FROM canary_metrics AS m WHERE m.canary = observation_feed.canary AND m.tick = observation_feed.tick)`;

type Write = <T>(work: Work<T>) => Promise<T>;
type Read = <T>(query: () => T) => Promise<T>;

export class SqliteUpkeep implements LedgerUpkeep {
  readonly #connection: Connection;
  readonly #write: Write;
  readonly #read: Read;

  constructor(connection: Connection, write: Write, read: Read) {
    this.#connection = connection;
    this.#write = write;
    this.#read = read;
  }

  observedCanaries(after: string | null, limit: number): Promise<string[]> {
    return this.#read(
      () =>
        this.#db
          .prepare(OBSERVED_CANARIES)
          .pluck()
          .all({ after: after ?? '', limit }) as string[],
    );
  }

  async tidyFeed(after: number): Promise<{ deleted: number; next: number | null }> {
    const last = await this.#read(() =>
      this.#number(`
        SELECT max(row) FROM (SELECT row FROM observation_feed WHERE row > ${after} ORDER BY row LIMIT ${FEED_ROWS})`),
    );
    if (last === null) return { deleted: 0, next: null };
    const deleted = await this.#write({ run: () => this.#db.prepare(TIDY_FEED).run({ after, last }).changes });
    return { deleted, next: last };
  }

  mergeWords(): Promise<boolean> {
    return this.#write({
      run: () => {
        const before = this.#number('SELECT total_changes()') ?? 0;
        // FTS5 says so by what it changes: below two rows there was nothing to join (sqlite.org/fts5.html, 6.9).
        this.#db.prepare("INSERT INTO documents_text (documents_text, rank) VALUES ('merge', ?)").run(MERGE_PAGES);
        return (this.#number('SELECT total_changes()') ?? 0) - before >= 2;
      },
    });
  }

  checkpoint(): Promise<{ pages: number; complete: boolean }> {
    return this.#read(() => {
      // Makes nobody wait. Only what is written whole can then be emptied, which is quick.
      const { log, checkpointed } = this.#checkpointed('PASSIVE');
      const complete = log === checkpointed;
      if (complete) this.#checkpointed('TRUNCATE');
      return { pages: Math.max(0, log), complete };
    });
  }

  space(): Promise<DatabaseSpace> {
    return this.#read(() => ({
      pageBytes: this.#pragma('page_size'),
      pages: this.#pragma('page_count'),
      freePages: this.#pragma('freelist_count'),
      canShrink: this.#pragma('auto_vacuum') === INCREMENTAL,
    }));
  }

  async shrink(): Promise<void> {
    await this.#write({
      run: () => {
        this.#db.pragma(`incremental_vacuum(${SHRINK_PAGES})`);
      },
    });
  }

  tables(): Promise<{ name: string; rows: number; bytes: number }[]> {
    return this.#read(() => {
      const names = this.#db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")
        .pluck()
        .all() as string[];
      const bytes = new Map(this.#db.prepare<[], [string, number]>(BYTES).raw().all());
      return names.map((name) => ({
        name,
        rows: this.#number(`SELECT count(*) FROM "${name}"`) ?? 0,
        bytes: bytes.get(name) ?? 0,
      }));
    });
  }

  #checkpointed(mode: 'PASSIVE' | 'TRUNCATE'): { busy: number; log: number; checkpointed: number } {
    const [row] = this.#db.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[];
    return row ?? { busy: 1, log: 0, checkpointed: 0 };
  }

  #pragma(name: string): number {
    return this.#db.pragma(name, { simple: true }) as number;
  }

  #number(sql: string): number | null {
    return this.#db.prepare<[], number | null>(sql).pluck().get() ?? null;
  }

  get #db(): Database {
    return this.#connection.db;
  }
}

/** `PRAGMA auto_vacuum`, as a number. */
const INCREMENTAL = 2;

/** Pages of each table with its indexes (sqlite.org/dbstat.html). */
const BYTES = `
  SELECT s.tbl_name, sum(d.pgsize) FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name
  WHERE d.aggregate = TRUE GROUP BY s.tbl_name`;

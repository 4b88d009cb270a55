import type { Database, Statement } from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import { Turns, turn } from '../../turns.js';
import type { EventKind } from '../events.js';
import type { FieldPages, LedgerPages, LinePage, ObservationPage, Selection, SeqRange } from '../pages.js';
import { MODEL_OF_BODY } from './derived-schema.js';

/**
 * Entries of a page of lines, by their ending. A large page is read faster. Lines that end in a comma are copied into other forms,
 * which take memory until they are collected, so their pages are smaller.
 */
const LINES = { '\n': 256, ',\n': 64 } as const;
/** Observations of a page. */
const OBSERVATIONS = 64;
/** Entries of a page of which little is read. */
const ROWS = 512;
const HASH_BYTES = 32;
/** KiB of the file that SQLite keeps in memory for whoever goes through all of it, who comes back to none of it soon. */
const SMALL_CACHE_KIB = 1024;
/**
 * Rows are read along the table's key, which is seq, and so put together in its order; an ORDER BY within the aggregate
 * would sort them once more, for twice the time.
 */
const PAGE_OF_ALL = `
  SELECT count(*) AS count, CAST(group_concat(body, @ending) || @ending AS BLOB) AS bytes, NULL AS flags, NULL AS omitted
  FROM events WHERE seq >= @from AND seq < @to`;
const PAGE_OF_SOME = `
  SELECT count(*) AS count, CAST(group_concat(CASE WHEN chosen THEN body || @ending END, '') AS BLOB) AS bytes,
    group_concat(CASE WHEN chosen THEN '1' ELSE '0' END, '') AS flags,
    group_concat(CASE WHEN NOT chosen THEN hex(hash) END, '') AS omitted
  FROM (SELECT seq, body, hash, $CHOSEN AS chosen FROM events WHERE seq >= @from AND seq < @to ORDER BY seq)`;
const PAGE_OF_OBSERVATIONS = `
  SELECT max(tick) AS last, count(*) AS count, CAST(group_concat(@before || body || @after, '') AS BLOB) AS bytes,
    CAST(group_concat(body || char(10), '') AS BLOB) AS recorded
  FROM (SELECT tick, body FROM canary_metrics WHERE canary = @canaryId AND tick > @from AND tick <= @lastTick
    ORDER BY tick LIMIT ${OBSERVATIONS})`;

type Read = <T>(query: () => T) => Promise<T>;

interface LineRow {
  count: number;
  flags: string | null;
  bytes: Buffer | null;
  omitted: string | null;
}

/** Pages over one connection; `read` runs a query on it. */
export class SqlitePages implements LedgerPages {
  readonly #db: Database;
  readonly #read: Read;

  constructor(db: Database, read: Read) {
    this.#db = db;
    this.#read = read;
  }

  #goingThrough = 0;
  #cacheSize: unknown = null;

  async withSmallCache<T>(work: () => Promise<T>): Promise<T> {
    await this.#read(() => {
      if (this.#goingThrough++ > 0) return;
      this.#cacheSize = this.#db.pragma('cache_size', { simple: true });
      this.#db.pragma(`cache_size = -${SMALL_CACHE_KIB}`);
    });
    try {
      return await work();
    } finally {
      // The connection may have been closed under it.
      if (--this.#goingThrough === 0 && this.#db.open) this.#db.pragma(`cache_size = ${this.#cacheSize}`);
    }
  }

  async window({ from, to }: { from: string | null; to: string | null }, size: number): Promise<SeqRange> {
    const end = to === null ? size : await this.#endBefore(to, size);
    const first = from === null ? 0 : await this.#firstFrom(from, end);
    return { from: first, to: end };
  }

  async count(range: SeqRange, selection: Selection): Promise<number> {
    if (isAll(selection)) return range.to - range.from;
    const { term, values } = chosen(selection);
    const statement = await this.#prepare(`SELECT count(*) FROM events WHERE seq >= @from AND seq < @to AND ${term}`);
    statement.pluck();
    let count = 0;
    for (let from = range.from; from < range.to; from += ROWS) {
      const to = Math.min(from + ROWS, range.to);
      await turn();
      count += await this.#read(() => statement.get({ ...values, from, to }) as number);
    }
    return count;
  }

  async *lines(range: SeqRange, ending: '\n' | ',\n', selection: Selection = {}): AsyncGenerator<LinePage> {
    const { term, values } = chosen(selection);
    const statement = await this.#prepare(isAll(selection) ? PAGE_OF_ALL : PAGE_OF_SOME.replace('$CHOSEN', term));
    const turns = new Turns();
    // What is read resolves at once, and of a selection many pages have nothing to wait for.
    for (let from = range.from; from < range.to; from += LINES[ending], await turns.next()) {
      const to = Math.min(from + LINES[ending], range.to);
      const row = await this.#read(() => statement.get({ ...values, ending, from, to }) as LineRow);
      if (row.count !== to - from) throw this.#gap(from, to);
      yield { from, to, bytes: row.bytes ?? Buffer.alloc(0), omitted: omittedOf(from, row) };
    }
  }

  async *fields(
    range: SeqRange,
    kinds: readonly EventKind[],
    paths: readonly string[],
    selection: Selection = {},
  ): FieldPages {
    const { term, values } = chosen(selection);
    const columns = paths.map((_, i) => `, json_extract(body, @path${i})`).join('');
    const named = Object.fromEntries(paths.map((path, i) => [`path${i}`, path]));
    const statement = await this.#prepare(
      `SELECT seq, ts, kind, subject${columns} FROM events
       WHERE seq >= @from AND seq < @to AND kind IN (SELECT value FROM json_each(@kinds)) AND ${term} ORDER BY seq`,
    );
    statement.raw();
    const given = { ...values, ...named, kinds: JSON.stringify(kinds) };
    for (let from = range.from; from < range.to; from += ROWS) {
      const to = Math.min(from + ROWS, range.to);
      // What is read resolves at once: without this, nothing else would run until the last page.
      await turn();
      yield await this.#read(
        () => statement.all({ ...given, from, to }) as [number, string, EventKind, string, ...unknown[]][],
      );
    }
  }

  async *observations(
    canaryId: string,
    lastTick: number,
    { before, after }: { before: string; after: string },
  ): AsyncGenerator<ObservationPage> {
    const turns = new Turns();
    for (let from = Number.MIN_SAFE_INTEGER; from < lastTick; await turns.next()) {
      const row = await this.#read(() => {
        const values = { canaryId, from, lastTick, before, after };
        return this.#rows(PAGE_OF_OBSERVATIONS).get(values) as ObservationPage & { last: number | null };
      });
      if (row.last === null) return;
      yield row;
      from = row.last;
    }
  }

  countObservations(canaryId: string, lastTick: number): Promise<number> {
    const sql = 'SELECT count(*) FROM canary_metrics WHERE canary = ? AND tick <= ?';
    return this.#read(() => this.#cached(sql).get(canaryId, lastTick) as number);
  }

  /** From the beginning on: an entry may lie before others that are older. */
  async #firstFrom(ts: string, end: number): Promise<number> {
    const sql = 'SELECT min(seq) FROM (SELECT seq, ts FROM events WHERE seq >= ? AND seq < ?) WHERE ts >= ?';
    for (let from = 0; from < end; from += ROWS) {
      const found = await this.#seq(sql, from, Math.min(from + ROWS, end), ts);
      if (found !== null) return found;
    }
    return end;
  }

  async #endBefore(ts: string, size: number): Promise<number> {
    const sql = 'SELECT max(seq) FROM (SELECT seq, ts FROM events WHERE seq >= ? AND seq < ?) WHERE ts < ?';
    for (let to = size; to > 0; to -= ROWS) {
      const found = await this.#seq(sql, Math.max(0, to - ROWS), to, ts);
      if (found !== null) return found + 1;
    }
    return 0;
  }

  async #seq(sql: string, from: number, to: number, ts: string): Promise<number | null> {
    await turn();
    return this.#read(() => this.#cached(sql).get(from, to, ts) as number | null);
  }

  readonly #statements = new Map<string, Statement>();

  #cached(sql: string): Statement {
    return this.#rows(sql).pluck();
  }

  #rows(sql: string): Statement {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #prepare(sql: string): Promise<Statement> {
    return this.#read(() => this.#db.prepare(sql));
  }

  #gap(from: number, to: number): LukhasError {
    return new LukhasError('LEDGER_CORRUPT', `The ledger ${this.#db.name} lacks entries between ${from} and ${to}`, {
      suggestions: ['Run `lukhas verify --db FILE` to see what is damaged.'],
    });
  }
}

function isAll({ models, families }: Selection): boolean {
  return models === undefined && families === undefined;
}

/** A term over a row of `events`, found without a list of subjects, which may be long. */
function chosen({ models, families }: Selection): { term: string; values: Record<string, string> } {
  const terms: string[] = [];
  const values: Record<string, string> = {};
  if (models !== undefined) {
    values['models'] = JSON.stringify(models);
    const among = 'IN (SELECT value FROM json_each(@models))';
    terms.push(`CASE WHEN kind = 'gate.changed'
      THEN (json_extract(body, '$.data.modelId') ${among} OR coalesce(json_extract(body, '$.data.previous') ${among}, 0))
      ELSE EXISTS (SELECT 1 FROM events AS first WHERE first.subject = events.subject
        AND first.kind IN ('canary.requested', 'promotion.requested') AND ${MODEL_OF_BODY} ${among}) END`);
  }
  if (families !== undefined) {
    values['families'] = JSON.stringify(families);
    terms.push(`substr(kind, 1, instr(kind, '.') - 1) IN (SELECT value FROM json_each(@families))`);
  }
  return { term: terms.length === 0 ? '1' : `(${terms.join(' AND ')})`, values };
}

function omittedOf(from: number, { flags, omitted }: LineRow): LinePage['omitted'] {
  if (flags === null || omitted === null) return [];
  const hashes = Buffer.from(omitted, 'hex');
  const list: LinePage['omitted'] = [];
  for (let i = flags.indexOf('0'); i >= 0; i = flags.indexOf('0', i + 1)) {
    const start = list.length * HASH_BYTES;
    list.push({ seq: from + i, hash: hashes.subarray(start, start + HASH_BYTES) });
  }
  return list;
}

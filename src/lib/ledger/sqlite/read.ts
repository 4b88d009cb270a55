import type { Database } from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import type { Observation } from '../../judge/index.js';
import type { EventKind, StoredEvent } from '../events.js';
import type { EventFilter, FeedItem, FeedPosition, ListingGap, SubjectSummary } from '../ledger.js';
import { leafHash } from '../tree/index.js';
import { upgraded } from '../versions.js';
import { FIRST_KINDS, MODEL_OF_BODY } from './derived-schema.js';
import { AFTER_ANY_PREFIX, Conditions, Queries } from './queries.js';
import { SummaryReader } from './summaries.js';

const PAGE = 500;
const NODE_BYTES = 32;
/** Rows of the feed read at once at least: where many were pruned, small pages would find little. */
const LEAST_ROWS = 64;

interface FeedRow {
  row: number;
  seq: number;
  canary: string;
  body: string | null;
}

const FEED_ROWS = `
  SELECT f.row, f.seq, f.canary, m.body FROM observation_feed f
  LEFT JOIN canary_metrics m ON m.canary = f.canary AND m.tick = f.tick
  WHERE f.row >= ? ORDER BY f.row LIMIT ?`;

const FEED_END = `
  SELECT max((SELECT coalesce(max(row), 0) FROM observation_feed),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'observation_feed'), 0)) + 1`;

const SUBJECTS = 256;
/** The next subjects along the index, and the kind of the first entry of each. Not all entries of a subject are read. */
const NEXT_SUBJECTS = `
  WITH RECURSIVE found (subject, n) AS (
    SELECT min(subject), 1 FROM events WHERE subject >= @from AND subject < @to
    UNION ALL
    SELECT (SELECT min(subject) FROM events WHERE subject > found.subject AND subject < @to), n + 1 FROM found
      WHERE subject IS NOT NULL AND n < ${SUBJECTS})
  SELECT subject, (SELECT kind FROM events WHERE subject = found.subject ORDER BY seq LIMIT 1) AS kind
  FROM found WHERE subject IS NOT NULL`;

/** One step from gate to gate along the index, however often each has changed. */
const GATES = `
  WITH RECURSIVE gates (subject) AS (
    SELECT min(subject) FROM events WHERE subject >= 'gate:' AND subject < 'gate;'
    UNION ALL
    SELECT (SELECT min(subject) FROM events WHERE subject > gates.subject AND subject < 'gate;')
      FROM gates WHERE gates.subject IS NOT NULL)
  SELECT subject FROM gates WHERE subject IS NOT NULL`;
/** What a listing has a row of begins with such an entry; a gate has none, and many changes. */
const FIRST: Readonly<Record<Exclude<SubjectSummary['type'], 'gate'>, string>> = {
  canary: 'canary.requested',
  promotion: 'promotion.requested',
  job: 'job.queued',
};

/** What has begun, and whose newest entry is not one after which nothing goes on. Reads an entry of each: only where rows are wrong. */
const GOING_ON = `
  SELECT subject, seq FROM events AS first WHERE kind = ? AND kind IN ${FIRST_KINDS}
    AND (SELECT kind FROM events WHERE subject = first.subject ORDER BY seq DESC LIMIT 1) NOT IN
      (SELECT value FROM json_each(?))`;

/** Reads the log of one connection, its observations and leases. */
export class Reader {
  readonly #db: Database;
  readonly #query: Queries;
  readonly summaries: SummaryReader;

  constructor(db: Database) {
    this.#db = db;
    this.#query = new Queries(db);
    this.summaries = new SummaryReader(this.#query);
  }

  size(): number {
    return this.#query.value<number>('SELECT coalesce(max(seq), -1) + 1 FROM events') as number;
  }

  /** Stored hash of a perfect subtree (see merkle.ts); level 0 is a leaf hash. */
  readonly node = (level: number, index: number): Buffer => {
    const row = (index + 1) * 2 ** level - 1;
    const hash =
      level === 0
        ? this.#query.value<Buffer>('SELECT hash FROM events WHERE seq = ?', row)
        : this.#query.value<Buffer>(
            `SELECT substr(nodes, ?, ${NODE_BYTES}) FROM events WHERE seq = ?`,
            (level - 1) * NODE_BYTES + 1,
            row,
          );
    if (hash?.length === NODE_BYTES) return hash;
    throw new LukhasError('LEDGER_CORRUPT', `The ledger ${this.#db.name}: entry ${row} has no tree node`, {
      suggestions: ['Run `lukhas verify --db FILE` to see what is damaged.'],
    });
  };

  events({ subject, kinds, modelId, from, to, mentions, limit, newest }: EventFilter = {}): StoredEvent[] {
    const query = new Conditions();
    if (subject !== undefined) query.add('subject = ?', subject);
    if (kinds !== undefined) query.addAnyOf('kind', kinds);
    // In the words of the index.
    const first = subject === undefined && kinds?.every((kind) => FIRST_KINDS.includes(`'${kind}'`)) === true;
    if (first) query.add(`kind IN ${FIRST_KINDS}`);
    if (modelId !== undefined) query.add(`${MODEL_OF_BODY} = ?`, modelId);
    if (from !== undefined) query.add('seq >= ?', from);
    if (to !== undefined) query.add('seq < ?', to);
    if (mentions !== undefined) query.add('instr(body, ?) > 0', JSON.stringify(mentions));
    const order = `ORDER BY seq ${newest === true ? 'DESC' : 'ASC'}`;
    // The index has no order of all models: without bodies it is made fast.
    const sql =
      first && limit !== undefined
        ? `SELECT body FROM events WHERE seq IN (SELECT seq FROM events ${query.where} ${order} LIMIT ?) ${order}`
        : `SELECT body FROM events ${query.where} ${order} LIMIT ?`;
    const bodies = this.#query.column<string>(sql, [...query.values, limit ?? -1]);
    if (newest === true) bodies.reverse();
    return bodies.map((body) => this.#current(body));
  }

  /** An entry of an unknown version whose bytes were altered was not written by a newer lukhas: that is said instead. */
  #current(body: string): StoredEvent {
    const event = parsed<StoredEvent>(body, 'an event');
    try {
      return upgraded(event);
    } catch (error) {
      const hash = this.#query.value<Buffer>('SELECT hash FROM events WHERE seq = ?', event.seq);
      if (hash?.equals(leafHash(Buffer.from(body)))) throw error;
      throw new LukhasError('LEDGER_CORRUPT', `Entry ${event.seq} of the log was changed after it was recorded`, {
        suggestions: ['Run `lukhas verify --db FILE` to see what is damaged.'],
        cause: error,
      });
    }
  }

  /** The whole log from an entry on, a page at a time, so that nothing else on the connection has to wait. */
  async *allEvents(first = 0): AsyncGenerator<StoredEvent> {
    for (let from = first; ; ) {
      const page = this.events({ from, limit: PAGE });
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      from = last.seq + 1;
    }
  }

  feedEnd(): FeedPosition {
    // Its newest rows may have been pruned; a number is never given twice.
    const row = this.#query.value<number>(FEED_END) as number;
    return { seq: this.size(), row };
  }

  /** Events and observations merged: an observation comes before the event whose seq was free when it was written. */
  feed(after: FeedPosition, limit: number): FeedItem[] {
    return this.#db.transaction(() => {
      const events = this.events({ from: after.seq, limit })[Symbol.iterator]();
      const rows = this.#feedRows(after.row, limit);
      const items: FeedItem[] = [];
      let { seq, row } = after;
      let event = next(events);
      let observed = next(rows);
      while (items.length < limit && (event ?? observed) !== null) {
        if (observed !== null && (event === null || observed.seq <= event.seq)) {
          row = observed.row + 1;
          const { canary, body } = observed;
          observed = next(rows);
          // Pruned: nothing is left to tell, but the place is passed.
          if (body === null) continue;
          const observation = parsed<Observation>(body, `an observation of ${canary}`);
          items.push({ type: 'observation', canaryId: canary, observation, position: { seq, row } });
        } else if (event !== null) {
          seq = event.seq + 1;
          items.push({ type: 'event', event, position: { seq, row } });
          event = next(events);
        }
      }
      return items;
    })();
  }

  /** All there are from `row` on: a page of pruned ones is not the end, and the events after it have to wait. */
  *#feedRows(row: number, limit: number): Generator<FeedRow> {
    const size = Math.max(limit, LEAST_ROWS);
    for (let from = row; ; ) {
      const page = this.#query.all<FeedRow>(FEED_ROWS, [from, size]);
      yield* page;
      if (page.length < size) return;
      from = (page.at(-1) as FeedRow).row + 1;
    }
  }

  /** Canonical lines of a canary's observations in order of tick. */
  observationLines(canaryId: string, afterTick: number): string[] {
    return this.#query.column<string>('SELECT body FROM canary_metrics WHERE canary = ? AND tick > ? ORDER BY tick', [
      canaryId,
      afterTick,
    ]);
  }

  observationPage(canaryId: string, afterTick: number): { tick: number; body: string }[] {
    return this.#query.all(
      `SELECT tick, body FROM canary_metrics WHERE canary = ? AND tick > ? ORDER BY tick LIMIT ${PAGE}`,
      [canaryId, afterTick],
    );
  }

  cursor(canaryId: string): unknown {
    const body = this.#query.value<string>('SELECT body FROM cursors WHERE canary = ?', canaryId);
    if (body === undefined) return null;
    try {
      return JSON.parse(body);
    } catch {
      return body; // damaged: sources refuse it as they refuse any other cursor that is not theirs
    }
  }

  lease(subject: string): { holder: string; expiresAt: number } | null {
    const sql = 'SELECT holder, expires_at AS expiresAt FROM leases WHERE subject = ?';
    return this.#query.all<{ holder: string; expiresAt: number }>(sql, [subject])[0] ?? null;
  }

  /** @param after the last one that was found, to go on from it; null: from the first. Empty: there are no more. */
  nextSubjects(prefix: string, after: string | null): { subject: string; kind: EventKind }[] {
    // Nothing lies between a text and the same with a NUL after it.
    return this.#query.all(NEXT_SUBJECTS, [
      { from: after === null ? prefix : `${after}\0`, to: `${prefix}${AFTER_ANY_PREFIX}` },
    ]);
  }

  gateSubjects(): string[] {
    return this.#query.column(GATES, []);
  }

  listingGap(type: SubjectSummary['type'], modelId?: string): ListingGap {
    return this.#db.transaction(() => ({
      inLog: type === 'gate' ? this.gateSubjects().length : this.#begun(FIRST[type], modelId),
      rows: this.summaries.count(modelId === undefined ? { type } : { type, modelId }),
      statesAgree: this.summaries.statesAgree(type),
    }))();
  }

  /** Newest first. A row that is missing or altered must not keep a canary, promotion or job from being driven. */
  openSubjects(type: SubjectSummary['type'], ended: readonly EventKind[]): string[] {
    return this.#db.transaction(() => {
      const open = new Map(this.summaries.open(type).map(({ subject, seq }) => [subject, seq]));
      if (type !== 'gate' && !this.#rowsAgree(type)) {
        const asked = [FIRST[type], JSON.stringify(ended)];
        for (const { subject, seq } of this.#query.all<{ subject: string; seq: number }>(GOING_ON, asked))
          open.set(subject, seq);
      }
      return [...open].sort(([, a], [, b]) => b - a).map(([subject]) => subject);
    })();
  }

  #rowsAgree(type: Exclude<SubjectSummary['type'], 'gate'>): boolean {
    return this.summaries.count({ type }) === this.#begun(FIRST[type], undefined) && this.summaries.statesAgree(type);
  }

  #begun(kind: string, modelId: string | undefined): number {
    const query = new Conditions();
    query.add(`kind = ? AND kind IN ${FIRST_KINDS}`, kind);
    if (modelId !== undefined) query.add(`${MODEL_OF_BODY} = ?`, modelId);
    return this.#query.value<number>(`SELECT count(*) FROM events ${query.where}`, ...query.values) as number;
  }

  /** Changes when another connection has committed. */
  dataVersion(): number {
    return this.#query.value<number>('PRAGMA data_version') as number;
  }
}

function next<T>(items: Iterator<T>): T | null {
  const { done, value } = items.next();
  return done === true ? null : value;
}

/** Recorded JSON; bodies were canonical when they were written. */
export function parsed<T>(body: string, what: string): T {
  try {
    return JSON.parse(body) as T;
  } catch (cause) {
    throw new LukhasError('LEDGER_CORRUPT', `The ledger contains ${what} that is not JSON: ${body.slice(0, 80)}`, {
      suggestions: ['Run `lukhas verify --db FILE` to see what is damaged.'],
      cause,
    });
  }
}

import type { Database, Statement } from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import type { EventDraft, StoredEvent } from '../events.js';
import type { Expectation, SubjectSummary, SummaryDraft, Unit } from '../ledger.js';
import { canonicalJson, completedNodes, leafHash, type NodeReader, recorded } from '../tree/index.js';
import { versionOf } from '../versions.js';
import type { TransactionObserver } from './group-commit.js';

/** A unit checked and turned into canonical text; only the sequence numbers are missing. */
export interface PreparedUnit {
  events: readonly PreparedEvent[];
  observations: readonly { canaryId: string; tick: number; t: number; body: string; afterEvents: number }[];
  cursors: readonly { canaryId: string; body: string }[];
  prune: Unit['prune'] | null;
  summaries: readonly { head: SummaryDraft; data: string }[];
  expect: readonly Expectation[];
}

interface PreparedEvent {
  draft: EventDraft;
  /** As it will be read back. */
  data: unknown;
  /** Canonical text before and after the sequence number. */
  before: string;
  after: string;
}

/**
 * @param checkEvent throws for an event that does not fit its kind's schema
 * @throws LukhasError USAGE, also for what JSON cannot hold
 */
export function prepareUnit(unit: Unit, checkEvent: (draft: EventDraft) => void): PreparedUnit {
  const events = unit.events ?? [];
  events.forEach(checkEvent);
  return {
    events: events.map(prepareEvent),
    observations: prepareObservations(unit),
    cursors: (unit.cursors ?? []).map(({ canaryId, cursor }) => {
      return { canaryId, body: canonicalJson(cursor, `cursor of ${canaryId}`) };
    }),
    summaries: (unit.summaries ?? []).map((head) => ({
      head,
      data: canonicalJson(head.data, `head of ${head.subject}`),
    })),
    prune: unit.prune ?? null,
    expect: unit.expect ?? [],
  };
}

/** In the order in which the feed tells them. */
function prepareObservations({ observations = [], events = [] }: Unit): PreparedUnit['observations'] {
  const prepared = observations.map(({ canaryId, observation, line, afterEvents = 0 }) => {
    const { tick, t } = observation;
    const what = `observation ${tick} of ${canaryId}`;
    if (!(afterEvents >= 0 && afterEvents <= events.length))
      throw new LukhasError(
        'USAGE',
        `The ${what} cannot come after ${afterEvents} events: its unit has ${events.length}`,
      );
    return { canaryId, tick, t, body: line ?? canonicalJson(observation, what), afterEvents };
  });
  return prepared.length < 2 ? prepared : prepared.sort((a, b) => a.afterEvents - b.afterEvents);
}

/** RFC 8785 orders the members by name: data, kind, seq, subject, ts, v. Kind and ts are plain ASCII by now. */
function prepareEvent(draft: EventDraft): PreparedEvent {
  const { kind, subject, ts } = draft;
  const what = `event ${kind} of ${subject}`;
  const { text, copy } = recorded(draft.data, what);
  return {
    draft,
    data: copy,
    before: `{"data":${text},"kind":"${kind}","seq":`,
    after: `,"subject":${canonicalJson(subject, what)},"ts":"${ts}","v":${versionOf(kind)}}`,
  };
}

/** Writes units. All methods run inside a transaction that the caller began. */
export class Appender implements TransactionObserver {
  readonly #db: Database;
  readonly #readNode: NodeReader;
  #statements: ReturnType<typeof statements> | null = null;
  /** Number of events; -1 when the edge below has to be read again. */
  #size = -1;
  /** Whether the size is known to be that of the database. */
  #current = false;
  /** Newest perfect node of each level: the left siblings that appends need. Valid for the levels of `#size`. */
  #edge: Buffer[] = [];

  constructor(db: Database, readNode: NodeReader) {
    this.#db = db;
    this.#readNode = readNode;
  }

  /** Prepared with the first write: an older ledger that is only read lacks some of the tables. */
  get #sql(): ReturnType<typeof statements> {
    this.#statements ??= statements(this.#db);
    return this.#statements;
  }

  begun(): void {
    this.#current = false;
  }

  undone(): void {
    this.#size = -1;
    this.#current = false;
  }

  /** @throws LukhasError LEDGER_CONFLICT; the caller then undoes what was written */
  apply(unit: PreparedUnit): StoredEvent[] {
    for (const expectation of unit.expect) this.#check(expectation);
    if (unit.events.length + unit.observations.length > 0 && !this.#current) this.#catchUp();
    const before = this.#size;
    const stored = unit.events.map((event) => this.#append(event));
    for (const { canaryId, tick, t, body, afterEvents } of unit.observations) {
      this.#sql.observation.run(canaryId, tick, t, body);
      this.#sql.feed.run(before + afterEvents, canaryId, tick);
    }
    for (const { canaryId, body } of unit.cursors) this.#sql.cursor.run(canaryId, body);
    if (unit.prune) this.#prune(unit.prune);
    for (const { head, data } of unit.summaries) this.#writeHead(head, data, stored);
    return stored;
  }

  #prune({ canaryId, count }: NonNullable<Unit['prune']>): void {
    const { changes } = this.#sql.prune.run(canaryId);
    if (changes !== count) throw conflict(`${canaryId} has ${changes} observations, not the ${count} to be pruned`);
    this.#sql.dropCursor.run(canaryId);
  }

  #check(expectation: Expectation): void {
    if ('lease' in expectation) {
      const holder = this.#sql.holder.get(expectation.lease);
      if (holder === expectation.holder) return;
      const now = holder === undefined ? 'no process holds it' : `${holder} holds it`;
      throw conflict(`${expectation.holder} lost the lease of ${expectation.lease}: now ${now}`);
    }
    const lastSeq = this.#sql.lastSeq.get(expectation.subject) ?? -1;
    if (lastSeq === expectation.lastSeq) return;
    throw conflict(
      `${expectation.subject} changed during the operation: its last entry is ${lastSeq}, expected ${expectation.lastSeq}`,
    );
  }

  #append({ draft, data, before, after }: PreparedEvent): StoredEvent {
    const { kind, subject, ts } = draft;
    const seq = this.#size;
    const body = before + seq + after;
    const leaf = leafHash(body);
    const nodes = completedNodes(seq, leaf, this.#leftSibling);
    this.#sql.event.run(seq, ts, kind, subject, leaf, joined(nodes), body);
    this.#edge[nodes.length] = nodes.at(-1) ?? leaf;
    this.#size = seq + 1;
    return { seq, kind, v: versionOf(kind), subject, ts, data } as StoredEvent;
  }

  readonly #leftSibling: NodeReader = (level) => this.#edge[level] as Buffer;

  /** Reads the right edge of the tree again when another process has appended. */
  #catchUp(): void {
    const size = (this.#sql.newest.get() ?? -1) + 1;
    this.#current = true;
    if (size === this.#size) return;
    this.#edge = [];
    for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) this.#edge[level] = this.#readNode(level, rest - 1);
    }
    this.#size = size;
  }

  #writeHead(head: SummaryDraft, data: string, stored: readonly StoredEvent[]): void {
    const { subject, type, state, modelId } = head;
    const open = head.open ? 1 : 0;
    const own = stored.filter((event) => event.subject === subject);
    const [first, last] = [own[0], own.at(-1)];
    this.#count(this.#sql.headName.get(subject), `${type} ${state}`);
    if (first === undefined || last === undefined) {
      if (this.#sql.headInPlace.run(type, state, modelId, open, data, subject).changes === 1) return;
      throw conflict(`The listing row of ${subject} is missing, and no entry of it is there to begin one`);
    }
    this.#sql.head.run(subject, type, state, modelId, open, first.seq, last.seq, first.ts, last.ts, data);
  }

  /** A row that changes its name moves from one count to the other. */
  #count(before: string | undefined, after: string): void {
    if (before === after) return;
    this.#sql.countMore.run(after);
    if (before === undefined) return;
    this.#sql.countLess.run(before);
    this.#sql.dropCount.run(before);
  }

  /** Drops every head and what is counted of them. */
  clearHeads(): void {
    this.#sql.clearHeads.run();
    this.#sql.clearCounts.run();
  }

  /** One head of a rebuilt projection. */
  insertHead(head: SubjectSummary): void {
    const { subject, type, state, modelId, firstSeq, lastSeq, createdAt, updatedAt } = head;
    this.#count(this.#sql.headName.get(subject), `${type} ${state}`);
    const data = canonicalJson(head.data, `head of ${subject}`);
    this.#sql.head.run(subject, type, state, modelId, head.open ? 1 : 0, firstSeq, lastSeq, createdAt, updatedAt, data);
  }
}

function statements(db: Database) {
  const column = (sql: string) => db.prepare(sql).pluck();
  return {
    newest: column('SELECT max(seq) FROM events') as Statement<[], number | null>,
    event: db.prepare('INSERT INTO events (seq, ts, kind, subject, hash, nodes, body) VALUES (?, ?, ?, ?, ?, ?, ?)'),
    observation: db.prepare('INSERT INTO canary_metrics (canary, tick, t, body) VALUES (?, ?, ?, ?)'),
    feed: db.prepare('INSERT INTO observation_feed (seq, canary, tick) VALUES (?, ?, ?)'),
    cursor: db.prepare(
      'INSERT INTO cursors (canary, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    ),
    prune: db.prepare('DELETE FROM canary_metrics WHERE canary = ?'),
    dropCursor: db.prepare('DELETE FROM cursors WHERE canary = ?'),
    holder: column('SELECT holder FROM leases WHERE subject = ?') as Statement<[string], string>,
    lastSeq: column('SELECT max(seq) FROM events WHERE subject = ?') as Statement<[string], number | null>,
    head: db.prepare(`
      INSERT INTO heads (subject, type, state, model, open, first_seq, last_seq, created_at, updated_at, data)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET type = excluded.type, state = excluded.state, model = excluded.model,
        open = excluded.open, last_seq = excluded.last_seq, updated_at = excluded.updated_at, data = excluded.data`),
    headName: column("SELECT type || ' ' || state FROM heads WHERE subject = ?") as Statement<[string], string>,
    countMore: db.prepare('INSERT INTO row_counts VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1'),
    countLess: db.prepare('UPDATE row_counts SET count = count - 1 WHERE name = ?'),
    dropCount: db.prepare('DELETE FROM row_counts WHERE name = ? AND count = 0'),
    clearHeads: db.prepare('DELETE FROM heads'),
    clearCounts: db.prepare("DELETE FROM row_counts WHERE name <> 'documents'"),
    headInPlace: db.prepare('UPDATE heads SET type = ?, state = ?, model = ?, open = ?, data = ? WHERE subject = ?'),
  };
}

/** Half of the appends complete nothing, and half of the rest one node. */
function joined(nodes: readonly Buffer[]): Buffer | null {
  if (nodes.length < 2) return nodes[0] ?? null;
  return Buffer.concat(nodes);
}

function conflict(message: string): LukhasError {
  return new LukhasError('LEDGER_CONFLICT', message);
}

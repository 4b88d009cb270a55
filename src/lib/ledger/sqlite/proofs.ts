import type { Database, Statement } from 'better-sqlite3';
import type { LukhasError } from '../../errors.js';
import { turn } from '../../turns.js';
import type { StoredEvent } from '../events.js';
import type { KnownEntries, Ledger } from '../ledger.js';
import { damaged } from '../proven-log.js';
import { inclusionProof, leafHash, type NodeReader, policyDigest, rootHash, verifyInclusion } from '../tree/index.js';
import { upgraded } from '../versions.js';
import { parsed } from './read.js';
import { SchemaWatch } from './schema-check.js';

/** Entries looked through at once for those that are hidden: a millisecond. */
const ROWS = 1024;
const OF_SUBJECT = `
  SELECT seq, ts, kind, subject, hash, CAST(body AS BLOB) AS body FROM events
  WHERE subject = @subject AND seq >= @from AND seq < @to ORDER BY seq`;
/** By the table's own rows, in order of its key: what an index says is not relied on. */
const PAGE = `
  SELECT count(*) AS count, sum(subject = @subject) AS own, min(CASE
    WHEN subject = @subject OR instr(body, @mention) = 0 THEN NULL
    WHEN NOT json_valid(body) OR json_extract(body, '$.subject') = @subject THEN seq END) AS hidden
  FROM events WHERE seq >= @from AND seq < @to`;

type Read = <T>(query: () => T) => Promise<T>;
type Which = Parameters<Ledger['provenEvents']>[0];

interface EntryRow {
  seq: number;
  ts: string;
  kind: string;
  subject: string;
  hash: Buffer;
  body: Buffer;
}

interface Page {
  count: number;
  own: number | null;
  hidden: number | null;
}

interface Snapshot {
  size: number;
  root: Buffer;
  rows: EntryRow[];
  node: NodeReader;
}

/** Reads entries as somebody does who does not believe the file: a row counts only where the log's tree has it. */
export class SqliteProofs {
  readonly #node: NodeReader;
  readonly #size: () => number;
  readonly #read: Read;
  readonly #sql: Record<'entries' | 'page', Statement>;
  readonly #schema: SchemaWatch;

  /** @param log how nodes of the stored tree, and its size, are read; `read` runs a query */
  constructor(db: Database, log: { node: NodeReader; size(): number }, read: Read) {
    this.#node = log.node;
    this.#size = () => log.size();
    this.#read = read;
    this.#sql = { entries: db.prepare(OF_SUBJECT), page: db.prepare(PAGE) };
    this.#schema = new SchemaWatch(db, db.name);
  }

  /** @see Ledger.provenEvents */
  async events({ subject, from, known }: Which): Promise<StoredEvent[]> {
    const snapshot = await this.#read(() => {
      this.#schema.check();
      return this.#snapshot(subject, from ?? 0, known);
    });
    const events = snapshot.rows.map((row) => proven(row, snapshot));
    if (known !== undefined) {
      requireAll(subject, known.count, events.length);
      return events;
    }
    const first = from ?? events[0]?.seq;
    if (first !== undefined) await this.#noneHidden(subject, { from: first, to: snapshot.size }, events.length);
    return events;
  }

  /** @see Ledger.intactEvents */
  async intact(subject: string): Promise<StoredEvent[]> {
    const rows = await this.#read(() => this.#sql.entries.all({ subject, from: 0, to: this.#size() }) as EntryRow[]);
    return rows.map((row) => upgraded(intact(row).event));
  }

  #snapshot(subject: string, from: number, known: KnownEntries | undefined): Snapshot {
    const to = known?.size ?? this.#size();
    const rows = this.#sql.entries.all({ subject, from, to }) as EntryRow[];
    const node = remembered(this.#node);
    return { size: to, root: known?.root ?? rootHash(to, node), rows, node };
  }

  async #noneHidden(subject: string, { from, to }: { from: number; to: number }, expected: number): Promise<void> {
    const values = { subject, mention: `"subject":${JSON.stringify(subject)}` };
    let own = 0;
    for (let at = from; at < to; at += ROWS) {
      const end = Math.min(at + ROWS, to);
      const page = await this.#read(() => this.#sql.page.get({ ...values, from: at, to: end }) as Page);
      if (page.count !== end - at) throw damaged(`Entries between ${at} and ${end} of the log are gone`);
      if (page.hidden !== null) throw notAsRecorded(page.hidden, `its bytes name ${subject}, its row another subject`);
      own += page.own ?? 0;
      await turn();
    }
    requireAll(subject, own, expected);
  }
}

function requireAll(subject: string, own: number, found: number): void {
  if (own !== found) throw damaged(`The log has ${own} entries of ${subject}, its index has ${found}`);
}

/** @throws LukhasError LEDGER_CORRUPT when the row is not the entry that the tree has there */
function proven(row: EntryRow, { size, root, node }: Snapshot): StoredEvent {
  const { seq } = row;
  const { event, leaf } = intact(row);
  if (!verifyInclusion(seq, size, leaf, inclusionProof(seq, size, node), root))
    throw damaged(`Entry ${seq} of the log, or one next to it in the tree, was changed after it was recorded`);
  // Whoever makes the hashes of an entry anew may forget the one inside it, which approvals name.
  if (event.kind === 'canary.requested' && policyDigest(event.data.policy) !== event.data.policyDigest)
    throw notAsRecorded(seq, 'its policy does not match its digest');
  return upgraded(event);
}

/** The entry as it was recorded, in whatever version. @throws LukhasError LEDGER_CORRUPT when the row does not agree with itself */
function intact({ seq, ts, kind, subject, hash, body }: EntryRow): { event: StoredEvent; leaf: Buffer } {
  const leaf = leafHash(body);
  if (!leaf.equals(hash)) throw notAsRecorded(seq, 'its bytes do not match its hash');
  const event = parsed<StoredEvent | null>(body.toString(), 'an event');
  const same = event?.seq === seq && event.ts === ts && event.kind === kind && event.subject === subject;
  if (!same) throw notAsRecorded(seq, 'its columns do not match its bytes');
  return { event, leaf };
}

/** The paths of a canary's entries share most of their nodes. */
function remembered(read: NodeReader): NodeReader {
  const known = new Map<string, Buffer>();
  return (level, index) => {
    const place = `${level}/${index}`;
    const node = known.get(place) ?? read(level, index);
    known.set(place, node);
    return node;
  };
}

function notAsRecorded(seq: number, why: string): LukhasError {
  return damaged(`Entry ${seq} of the log was changed after it was recorded: ${why}`);
}

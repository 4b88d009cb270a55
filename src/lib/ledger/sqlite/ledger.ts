import { LukhasError } from '../../errors.js';
import type { Observation } from '../../judge/index.js';
import { Turns } from '../../turns.js';
import type { EventKind, StoredEvent } from '../events.js';
import type { LeaseClock } from '../lapse.js';
import type {
  EventFilter,
  FeedItem,
  FeedPosition,
  Lease,
  Ledger,
  ListingGap,
  SubjectSummary,
  SummaryFilter,
  Unit,
} from '../ledger.js';
import { compactRange, consistencyProof, inclusionProof, rootHash } from '../tree/index.js';
import { Appender } from './append.js';
import { CommitWork } from './commit-work.js';
import { SqliteDocuments } from './documents.js';
import { ledgerError } from './errors.js';
import { GroupCommit, type Work } from './group-commit.js';
import { Leases } from './leases.js';
import { type Connection, type OpenOptions, openConnection, requireInPlace, whileBusy } from './open.js';
import { SqlitePages } from './pages.js';
import { SqliteProofs } from './proofs.js';
import { parsed, Reader } from './read.js';
import { rebuild } from './rebuild.js';
import { SqliteUpkeep } from './upkeep.js';

/**
 * Opens the ledger in the SQLite file at `path`, making the file and its folder (mode 0700) when they are missing.
 * @throws LukhasError LEDGER_UNAVAILABLE, LEDGER_READ_ONLY, LEDGER_CORRUPT, LEDGER_TOO_NEW, LEDGER_BUSY, LEDGER_FULL
 */
export async function openLedger(path: string, options: OpenOptions = {}): Promise<Ledger> {
  return new SqliteLedger(await openConnection(path, options));
}

/** The ledger over an open connection, which it owns from now on. */
export class SqliteLedger implements Ledger {
  readonly #connection: Connection;
  readonly #reader: Reader;
  readonly #appender: Appender;
  readonly #leases: Leases;
  readonly #writes: GroupCommit;
  readonly #listeners = new Set<() => void>();
  readonly documents: SqliteDocuments;
  readonly pages: SqlitePages;
  readonly upkeep: SqliteUpkeep;
  #proofs: SqliteProofs | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#reader = new Reader(connection.db);
    this.#appender = new Appender(connection.db, this.#reader.node);
    this.#leases = new Leases(connection.db);
    this.#writes = new GroupCommit(connection, this.#appender);
    this.documents = new SqliteDocuments(
      connection,
      (work) => this.#write(work),
      (query) => this.#read(query),
    );
    this.pages = new SqlitePages(connection.db, (query) => this.#read(query));
    this.upkeep = new SqliteUpkeep(
      connection,
      (work) => this.#write(work),
      (query) => this.#read(query),
    );
  }

  async commit(unit: Unit): Promise<StoredEvent[]> {
    const stored = await this.#write(new CommitWork(unit, this.#appender));
    if (stored.length > 0 || unit.observations?.length) for (const listener of this.#listeners) listener();
    return stored;
  }

  events(filter: EventFilter = {}): Promise<StoredEvent[]> {
    return this.#read(() => this.#reader.events(filter));
  }

  async provenEvents(which: Parameters<Ledger['provenEvents']>[0]): Promise<StoredEvent[]> {
    return (await this.#prover()).events(which);
  }

  async intactEvents(subject: string): Promise<StoredEvent[]> {
    return (await this.#prover()).intact(subject);
  }

  size(): Promise<number> {
    return this.#read(() => this.#reader.size());
  }

  root(size?: number): Promise<{ size: number; root: Buffer }> {
    return this.#read(() => {
      const length = this.#within(size);
      return { size: length, root: rootHash(length, this.#reader.node) };
    });
  }

  inclusionProof(seq: number, size?: number): Promise<Buffer[]> {
    return this.#read(() => {
      const length = this.#within(size);
      if (!Number.isSafeInteger(seq) || seq < 0 || seq >= length) {
        throw new LukhasError('USAGE', `Entry ${seq} not found among the first ${length} of the log`);
      }
      return inclusionProof(seq, length, this.#reader.node);
    });
  }

  consistencyProof(first: number, second?: number): Promise<Buffer[]> {
    return this.#read(() => {
      const length = this.#within(second);
      if (!Number.isSafeInteger(first) || first < 0 || first > length) {
        throw new LukhasError('USAGE', `A log of ${length} entries cannot extend one of ${first}`);
      }
      return consistencyProof(first, length, this.#reader.node);
    });
  }

  compactRange(size?: number): Promise<{ size: number; hashes: Buffer[] }> {
    return this.#read(() => {
      const length = this.#within(size);
      return { size: length, hashes: compactRange(length, this.#reader.node) };
    });
  }

  dataVersion(): Promise<number> {
    return this.#read(() => this.#reader.dataVersion());
  }

  feed(after: FeedPosition, limit: number): Promise<FeedItem[]> {
    return this.#read(() => this.#reader.feed(after, limit));
  }

  feedEnd(): Promise<FeedPosition> {
    return this.#read(() => this.#reader.feedEnd());
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async observations(canaryId: string, afterTick = -1): Promise<Observation[]> {
    const lines = await this.#read(() => this.#reader.observationLines(canaryId, afterTick));
    return lines.map((line) => parsed<Observation>(line, `an observation of ${canaryId}`));
  }

  observationPage(canaryId: string, afterTick: number): Promise<{ tick: number; body: string }[]> {
    return this.#read(() => this.#reader.observationPage(canaryId, afterTick));
  }

  async *observationLines(canaryId: string): AsyncGenerator<string> {
    const turns = new Turns();
    for (let afterTick = -1; ; await turns.next()) {
      const page = await this.observationPage(canaryId, afterTick);
      for (const { body } of page) yield body;
      const last = page.at(-1);
      if (last === undefined) return;
      afterTick = last.tick;
    }
  }

  cursor(canaryId: string): Promise<unknown> {
    return this.#read(() => this.#reader.cursor(canaryId));
  }

  summaries(filter: SummaryFilter = {}): Promise<SubjectSummary[]> {
    return this.#read(() => this.#reader.summaries.list(filter));
  }

  openSubjects(type: SubjectSummary['type'], ended: readonly EventKind[]): Promise<string[]> {
    return this.#read(() => this.#reader.openSubjects(type, ended));
  }

  summaryStates(type: SubjectSummary['type']): Promise<Record<string, number>> {
    return this.#read(() => this.#reader.summaries.states(type));
  }

  async findSubjects(prefix: string, first: EventKind, limit: number): Promise<string[]> {
    const turns = new Turns();
    const found: string[] = [];
    for (let after: string | null = null; found.length < limit; await turns.next()) {
      const page = await this.#read(() => this.#reader.nextSubjects(prefix, after));
      for (const { subject, kind } of page) if (kind === first) found.push(subject);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.subject;
    }
    return found.slice(0, limit);
  }

  gateSubjects(): Promise<string[]> {
    return this.#read(() => this.#reader.gateSubjects());
  }

  listingGap(type: SubjectSummary['type'], modelId?: string): Promise<ListingGap> {
    return this.#read(() => this.#reader.listingGap(type, modelId));
  }

  summary(subject: string): Promise<SubjectSummary | null> {
    return this.#read(() => this.#reader.summaries.one(subject));
  }

  /** On a connection of its own, so that its transaction may last while this one goes on reading. */
  async rebuildSummaries(fold: (events: AsyncIterable<StoredEvent>) => AsyncIterable<SubjectSummary>): Promise<number> {
    if (this.#connection.readOnly) throw this.#openedReadOnly();
    return this.#writes.runAlone(async () => {
      requireInPlace(this.#connection);
      const connection = await openConnection(this.#connection.path, this.#connection);
      try {
        return await rebuild(connection, fold);
      } catch (error) {
        throw ledgerError(error, connection.path);
      } finally {
        // Undoes what was not committed.
        connection.db.close();
      }
    });
  }

  async acquireLease(...lease: Parameters<Ledger['acquireLease']>): Promise<boolean> {
    return this.#write({ run: () => this.#leases.take(...lease) });
  }

  async renewLease(...lease: Parameters<Ledger['renewLease']>): Promise<boolean> {
    return this.#write({ run: () => this.#leases.renew(...lease) });
  }

  async releaseLease(subject: string, holder: string): Promise<void> {
    await this.#write({ run: () => this.#leases.drop(subject, holder) });
  }

  lease(subject: string): Promise<{ holder: string; expiresAt: number } | null> {
    return this.#read(() => this.#reader.lease(subject));
  }

  leaseAt(subject: string, clock: LeaseClock): Promise<Lease | null> {
    return this.#read(() => this.#leases.at(subject, clock));
  }

  leasedSubjects(clock: LeaseClock, except: readonly EventKind[]): Promise<{ subject: string; holder: string }[]> {
    return this.#read(() => this.#leases.ofTheLog(clock, except));
  }

  async close(): Promise<void> {
    await this.#writes.close();
    this.documents.close();
    this.#connection.db.close();
  }

  async #prover(): Promise<SqliteProofs> {
    this.#proofs ??= await this.#read(
      () => new SqliteProofs(this.#connection.db, this.#reader, (query) => this.#read(query)),
    );
    return this.#proofs;
  }

  #write<T>(work: Work<T>): Promise<T> {
    if (this.#connection.readOnly) return Promise.reject(this.#openedReadOnly());
    return this.#writes.run(work);
  }

  async #read<T>(query: () => T): Promise<T> {
    const { db, busyTimeoutMs, path } = this.#connection;
    return whileBusy(busyTimeoutMs, path, () => {
      if (!db.open) throw new LukhasError('LEDGER_UNAVAILABLE', `The ledger ${path} is closed`);
      return query();
    });
  }

  #openedReadOnly(): LukhasError {
    return new LukhasError('LEDGER_READ_ONLY', `The ledger ${this.#connection.path} was opened read-only`);
  }

  /** The given size, or the log's own; @throws LukhasError USAGE when the log is shorter */
  #within(size: number | undefined): number {
    const whole = this.#reader.size();
    const wanted = size ?? whole;
    if (Number.isSafeInteger(wanted) && wanted >= 0 && wanted <= whole) return wanted;
    throw new LukhasError('USAGE', `The log has ${whole} entries, not ${wanted}`);
  }
}

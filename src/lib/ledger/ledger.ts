import type { Observation } from '../judge/index.js';
import type { DocumentIndex } from './documents.js';
import type { EventDraft, EventKind, StoredEvent } from './events.js';
import type { LeaseClock } from './lapse.js';
import type { LedgerPages } from './pages.js';
import type { LedgerUpkeep } from './upkeep.js';

/**
 * The log and what lives beside it. Asynchronous from the start, so that a second engine can join SQLite.
 * Everything that belongs together goes through one `commit`: it is on disk, whole, when the promise resolves, or
 * nothing of it is.
 */
export interface Ledger {
  /**
   * Appends events and the rows they record in one transaction. Units that arrive while another commit is being
   * made share the next one (group commit); one that fails is undone alone.
   * @throws LukhasError LEDGER_CONFLICT when an expectation does not hold or a tick is already recorded;
   *   LEDGER_BUSY, LEDGER_FULL, LEDGER_READ_ONLY for the state of the database
   */
  commit(unit: Unit): Promise<StoredEvent[]>;

  /** Events in order of sequence. */
  events(filter?: EventFilter): Promise<StoredEvent[]>;
  /**
   * The events of a subject, from a seq on, each proved before it is believed: its bytes hash to its leaf (RFC 6962, 2.1),
   * the leaf is in the stored tree (RFC 9162, 2.1.3), and since the first of them no entry is gone or filed elsewhere.
   * Costs little for each event, and a look at every entry since the first.
   * @param which `known`: what reading the whole log (`readProvenLog`) has found of the subject, which saves that look
   * @throws LukhasError LEDGER_CORRUPT with the first entry that is not as it was recorded, or when the schema is not
   *   the one that lukhas makes
   */
  provenEvents(which: { subject: string; from?: number; known?: KnownEntries }): Promise<StoredEvent[]>;
  /**
   * The events of a subject, each of which gives the hash beside it: enough to speak of them without failing on what
   * somebody wrote over them. Costs a hash for each.
   * @throws LukhasError LEDGER_CORRUPT with the first entry that does not
   */
  intactEvents(subject: string): Promise<StoredEvent[]>;
  /** Number of events; the next one gets this as its seq (0-based, as RFC 6962 leaf index). */
  size(): Promise<number>;
  /** RFC 6962 tree head over the first `size` events (all of them by default). */
  root(size?: number): Promise<{ size: number; root: Buffer }>;
  inclusionProof(seq: number, size?: number): Promise<Buffer[]>;
  consistencyProof(first: number, second?: number): Promise<Buffer[]>;
  /** Roots of the perfect subtrees that make up the first `size` events (all by default), largest first. */
  compactRange(size?: number): Promise<{ size: number; hashes: Buffer[] }>;
  /** Another number once another connection or process has committed; the same after commits of this one (PRAGMA data_version). */
  dataVersion(): Promise<number>;

  /**
   * What was committed after a position, events and observations in the order of their commits: what follows the log.
   * A prefix of the rest, at most `limit` items, read in one snapshot.
   */
  feed(after: FeedPosition, limit: number): Promise<FeedItem[]>;
  /** The position after everything that is committed. */
  feedEnd(): Promise<FeedPosition>;
  /** Calls `listener` after every commit of this connection that wrote something. @returns what ends that */
  onCommit(listener: () => void): () => void;

  /** Recorded observations of a canary in tick order. */
  observations(canaryId: string, afterTick?: number): Promise<Observation[]>;
  /** The same as recorded bytes (canonical JSON, one a line without the newline): what the digest covers. */
  observationLines(canaryId: string): AsyncIterable<string>;
  /** Some of them after a tick, with it; empty: there are no more. */
  observationPage(canaryId: string, afterTick: number): Promise<{ tick: number; body: string }[]>;
  /** What the source of a canary stored at the last check; null: nothing. What is damaged comes back as it is. */
  cursor(canaryId: string): Promise<unknown>;

  /** Summaries of subjects, newest first. */
  summaries(filter?: SummaryFilter): Promise<SubjectSummary[]>;
  /**
   * Subjects of open rows of a type, newest first: what a driver looks after. A row of which the rest is broken counts too, and
   * where rows are missing, what the log has begun.
   * @param ended kinds of entries after which nothing of a subject is under way
   */
  openSubjects(type: SubjectSummary['type'], ended: readonly EventKind[]): Promise<string[]>;
  /** How many rows of a type there are, by state; states without any are left out. */
  summaryStates(type: SubjectSummary['type']): Promise<Record<string, number>>;
  /** Ids that begin with the prefix, of subjects whose first entry is of this kind, in order, the first `limit`; from the entries themselves. */
  findSubjects(prefix: string, first: EventKind, limit: number): Promise<string[]>;
  /** Subjects of all gates that a model ever held (`gate:…`), from the entries themselves. */
  gateSubjects(): Promise<string[]>;
  /** How the rows of a type compare with the log, by numbers alone; all of a type, or of one model. */
  listingGap(type: SubjectSummary['type'], modelId?: string): Promise<ListingGap>;
  /** The row of a subject. */
  summary(subject: string): Promise<SubjectSummary | null>;
  /** Drops the heads table and builds it again with `fold` over the whole log. */
  rebuildSummaries(fold: (events: AsyncIterable<StoredEvent>) => AsyncIterable<SubjectSummary>): Promise<number>;

  /** What is found by words. */
  readonly documents: DocumentIndex;
  /** The log in large pieces. */
  readonly pages: LedgerPages;
  /** The file it is in. */
  readonly upkeep: LedgerUpkeep;

  /**
   * Takes or renews a lease; false when another holder has it and it has not lapsed (see `LapseWatch`).
   * @param dead a holder that certainly no longer lives: its lease is taken whenever it lapses
   */
  acquireLease(subject: string, holder: string, clock: LeaseClock, ttlMs: number, dead?: string): Promise<boolean>;
  /** Prolongs a lease that is still this holder's; false when another has taken it, also when that one has given it back. */
  renewLease(subject: string, holder: string, clock: LeaseClock, ttlMs: number): Promise<boolean>;
  /** Gives a lease back that is still this holder's. */
  releaseLease(subject: string, holder: string): Promise<void>;
  /** Holder of the lease, when there is one, and its end by that holder's wall clock, ms since the epoch. */
  lease(subject: string): Promise<{ holder: string; expiresAt: number } | null>;
  /** A lease, and what is left of it; null when there is none. */
  leaseAt(subject: string, clock: LeaseClock): Promise<Lease | null>;
  /** Subjects of the log with a lease that has not lapsed, except those whose newest entry is of such a kind. */
  leasedSubjects(clock: LeaseClock, except: readonly EventKind[]): Promise<{ subject: string; holder: string }[]>;

  close(): Promise<void>;
}

/** Rows that listings read beside what the log holds, as of one moment. */
export interface ListingGap {
  /** How many have begun in the log. */
  inLog: number;
  /** How many rows there are. */
  rows: number;
  /** Whether there are as many rows of each state as were written; true where nothing was counted (an older ledger). */
  statesAgree: boolean;
}

export interface Lease {
  holder: string;
  /** Until it lapses, unless it is renewed; not above 0 when it has lapsed. */
  leftMs: number;
}

/** How many entries of a subject there are from a seq on and below `size`; the tree of the first `size` has this root. */
export interface KnownEntries {
  size: number;
  root: Buffer;
  count: number;
}

export interface Unit {
  events?: readonly EventDraft[];
  /** Recorded as canonical bytes; (canary, tick) is unique. */
  observations?: readonly {
    canaryId: string;
    observation: Observation;
    /** Its canonical text, where it is made already. */
    line?: string;
    /** How many of the unit's events come before it in the feed; none when left out. */
    afterEvents?: number;
  }[];
  cursors?: readonly { canaryId: string; cursor: unknown }[];
  /** Deletes all observations of a canary and its cursor; LEDGER_CONFLICT when they are not so many. */
  prune?: { canaryId: string; count: number };
  summaries?: readonly SummaryDraft[];
  expect?: Expectation[];
}

/** A place in the feed: all events below `seq` and all observations below `row` lie before it. */
export interface FeedPosition {
  seq: number;
  row: number;
}

export type FeedItem =
  | { type: 'event'; event: StoredEvent; position: FeedPosition }
  | { type: 'observation'; canaryId: string; observation: Observation; position: FeedPosition };

/** Checked inside the transaction; a unit whose expectation fails changes nothing. */
export type Expectation =
  | { lease: string; holder: string }
  /** No event of this subject was appended after `seq` (-1: none at all). */
  | { subject: string; lastSeq: number };

/**
 * A droppable projection: the current state of a subject, for listings. Written in the transaction of the events
 * it summarises, rebuilt from the log by `rebuildSummaries`.
 */
export interface SubjectSummary {
  subject: string;
  type: 'canary' | 'gate' | 'job' | 'promotion';
  state: string;
  modelId: string;
  /** Something is still to be done about it: a canary that runs, or whose decision has not been acted on. */
  open: boolean;
  /** seq of the first and the newest event it summarises. */
  firstSeq: number;
  lastSeq: number;
  createdAt: string;
  updatedAt: string;
  /** Plain JSON for display and for the runner. */
  data: Record<string, unknown>;
}

/** As SubjectSummary; firstSeq, lastSeq and times are taken from the unit's own events of that subject. */
export type SummaryDraft = Pick<SubjectSummary, 'subject' | 'type' | 'state' | 'modelId' | 'open' | 'data'>;

export interface EventFilter {
  subject?: string;
  /** Without a subject the whole log is read, except for the kinds with which a canary, promotion or job begins. */
  kinds?: readonly EventKind[];
  /** Of `canary.requested` and `promotion.requested` alone: of this model, found through an index. Needs `kinds`. */
  modelId?: string;
  /** First seq, inclusive. */
  from?: number;
  /** Last seq, exclusive. */
  to?: number;
  /** Only events whose canonical text holds this JSON value: a coarse sieve, so that few have to be read. */
  mentions?: string;
  limit?: number;
  /** Of more than `limit` the newest ones instead of the oldest; in order of sequence all the same. */
  newest?: boolean;
}

export interface SummaryFilter {
  type?: SubjectSummary['type'];
  states?: readonly string[];
  open?: boolean;
  modelId?: string;
  limit?: number;
}

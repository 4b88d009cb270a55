import type { EventKind } from './events.js';

/**
 * The log in large pieces: what an export hands out. Every page is a query of its own, found by key, so that no
 * transaction is held open and others have their turn in between; the caller fixes the end first.
 */
export interface LedgerPages {
  /**
   * The entries that a window of time stands for: from the first one stamped at or after `from`, up to and with the last
   * one stamped before `to` (both RFC 3339, UTC). Clocks may step back; sequence numbers do not.
   * @param size entries to look at: those below it
   * @returns [from, to); from = to when there are none
   */
  window(times: { from: string | null; to: string | null }, size: number): Promise<SeqRange>;
  /** How many entries of the range are selected. */
  count(range: SeqRange, selection: Selection): Promise<number>;
  /** Recorded bytes of the selected entries, each line followed by `ending`, with the leaf hashes of the others. */
  lines(range: SeqRange, ending: '\n' | ',\n', selection?: Selection): AsyncIterable<LinePage>;
  /** Members of events by JSON path (`$.data.modelId`), without reading the whole of them into objects. */
  fields(range: SeqRange, kinds: readonly EventKind[], paths: readonly string[], selection?: Selection): FieldPages;
  /** Recorded observations of a canary up to a tick, each as a line of JSON between `before` and `after`. */
  observations(
    canaryId: string,
    lastTick: number,
    around: { before: string; after: string },
  ): AsyncIterable<ObservationPage>;
  /** How many observations of a canary are kept, up to a tick. */
  countObservations(canaryId: string, lastTick: number): Promise<number>;
  /** Keeps less of the file in memory until `work` is done: for whoever goes through the whole log. */
  withSmallCache<T>(work: () => Promise<T>): Promise<T>;
}

/** [from, to). */
export interface SeqRange {
  from: number;
  to: number;
}

/** What kinds of events begin with, before the dot. */
export const FAMILIES = ['canary', 'fallback', 'hook', 'gate', 'promotion', 'job', 'evidence'] as const;

/** What is handed out; entries that do not fit all that is given are left out. */
export interface Selection {
  /** Entries of canaries and promotions of these models, and changes of gates that name one of them. */
  models?: readonly string[];
  /** Of FAMILIES. */
  families?: readonly string[];
}

export interface LinePage extends SeqRange {
  /** UTF-8, as recorded. */
  bytes: Buffer;
  /** Leaf hashes of the entries of this page that are left out, in order. */
  omitted: { seq: number; hash: Buffer }[];
}

export interface ObservationPage {
  count: number;
  /** UTF-8: each between what it was asked for. */
  bytes: Buffer;
  /** As recorded, each followed by a newline: the SHA-256 over all of them is what a verdict commits to. */
  recorded: Buffer;
}

/** Pages of rows: seq, ts, kind, subject, then a value for each path. */
export type FieldPages = AsyncIterable<[seq: number, ts: string, kind: EventKind, subject: string, ...unknown[]][]>;

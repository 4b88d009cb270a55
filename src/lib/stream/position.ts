import type { FeedPosition } from '../ledger/index.js';

/** The content of an event's id: the position in the feed after it, and which log that is. */
export interface EventId {
  position: FeedPosition;
  /** See `Framer.log`; null before the first entry of the log. */
  log: string | null;
}

/** Ids of events: `SEQ.ROW.LOG`, the same in every process on the same database, also after a restart. */
export function eventId({ seq, row }: FeedPosition, log: string | null): string {
  return log === null ? `${seq}.${row}` : `${seq}.${row}.${log}`;
}

const ID = /^(\d{1,15})\.(\d{1,15})(?:\.([0-9a-f]{8}))?$/;

/** @returns null when the text is not a valid id */
export function parseEventId(text: string): EventId | null {
  const [, seq, row, log] = ID.exec(text) ?? [];
  if (seq === undefined || row === undefined) return null;
  // Rows are numbered from 1; 0.0 also means the beginning.
  return { position: { seq: Number(seq), row: Math.max(1, Number(row)) }, log: log ?? null };
}

/** Whether an id belongs to this log. An id from before the first entry is valid in every log. */
export function isOfLog({ position, log }: EventId, current: string | null): boolean {
  return log === null ? position.seq === 0 : log === current;
}

/** Whether `a` is at or after `b`: everything before `b` is also before `a`. */
export function reaches(a: FeedPosition, b: FeedPosition): boolean {
  return a.seq >= b.seq && a.row >= b.row;
}

import type { FeedPosition } from '../../lib/ledger/index.js';

/** What an event's id tells: the place in the feed after it, and in which log. */
export interface EventId {
  position: FeedPosition;
  /** See `Framer.log`; null before the first entry of the log. */
  log: string | null;
}

/** Ids of events: `SEQ.ROW.LOG`, the same in every process on that database, so also after a restart. */
export function eventId({ seq, row }: FeedPosition, log: string | null): string {
  return log === null ? `${seq}.${row}` : `${seq}.${row}.${log}`;
}

const ID = /^(\d{1,15})\.(\d{1,15})(?:\.([0-9a-f]{8}))?$/;

/** @returns null when the text is no id of ours */
export function parseEventId(text: string): EventId | null {
  const [, seq, row, log] = ID.exec(text) ?? [];
  if (seq === undefined || row === undefined) return null;
  // Rows are counted from 1: 0.0 is the beginning, too.
  return { position: { seq: Number(seq), row: Math.max(1, Number(row)) }, log: log ?? null };
}

/** Whether an id was given in this log. One from before the first entry is a place in every log. */
export function isOfLog({ position, log }: EventId, current: string | null): boolean {
  return log === null ? position.seq === 0 : log === current;
}

/** Whether everything before `b` lies before `a`, too. */
export function reaches(a: FeedPosition, b: FeedPosition): boolean {
  return a.seq >= b.seq && a.row >= b.row;
}

import { entryWords, whoOf } from '../explain/index.js';
import type { StoredEvent } from '../ledger/index.js';
import { meaningOf } from '../readings/index.js';
import type { Subject } from './address.js';

/** An entry of the log in a list. Times are ms since the epoch. */
export interface EntryRow {
  seq: number;
  at: number;
  kind: string;
  subject: string;
  /** The page about its subject; null: it has none. */
  page: Subject | null;
  what: string;
  lines: string[];
  /** Null: lukhas itself. */
  who: string | null;
}

/** An entry of a kind or shape that is not known here is named after its kind. */
export function entryRow(event: StoredEvent): EntryRow {
  const { seq, ts, kind, subject } = event;
  const row = { seq, at: Date.parse(ts), kind, subject };
  try {
    return { ...row, page: pageOf(event), ...entryWords(event), who: whoOf(event) };
  } catch {
    return { ...row, page: null, what: kind, lines: [], who: null };
  }
}

function pageOf({ kind, subject: name }: StoredEvent): Subject | null {
  const { about } = meaningOf(kind);
  if (about === 'gate') return { kind: about, name: name.slice('gate:'.length) };
  if (about === 'hook') return { kind: name.startsWith('p') ? 'promotion' : 'canary', name };
  return about === 'log' ? null : { kind: about, name };
}

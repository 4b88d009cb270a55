import { LukhasError } from '../errors.js';
import { turn } from '../turns.js';
import type { EventKind, StoredEvent } from './events.js';
import type { Ledger } from './ledger.js';
import type { LedgerPages, LinePage } from './pages.js';
import { type GrowingTree, leafHash } from './tree/index.js';
import { upgraded } from './versions.js';

/** An entry as its own bytes tell it. */
export interface LogEntry {
  seq: number;
  kind: EventKind;
  subject: string;
  v: number;
  /** Parses the whole of it: most entries are only counted. @throws LukhasError LEDGER_TOO_NEW */
  event(): StoredEvent;
}

type Log = Pick<Ledger, 'compactRange'> & { readonly pages: Pick<LedgerPages, 'lines'> };
type Visit = (entry: LogEntry) => void;

const ENDING = '\n';
const NEWLINE = 0x0a;
/** How an entry ends (RFC 8785 orders the members by name). Quotes inside a string are escaped, so no text looks like it. */
const HEADER = /^"kind":"([a-z.]+)","seq":(\d+),"subject":"([^"\\]*)","ts":"[^"\\]*","v":(\d+)\}$/;

/**
 * Reads every entry of the log and believes nothing that stands beside it: no listing, column, index or hash of an entry.
 * All bytes together have to give the root of the stored tree, so no entry is changed, gone, or filed where nobody looks.
 * Costs two hashes for each entry, about 2.5 s for a million.
 * @param begun the tree that an earlier call returned: only later entries are read, and the log must still begin with those
 * @param visit is given the entries in order; what it was given counts once this has resolved
 * @returns the tree of everything that was read
 * @throws LukhasError LEDGER_CORRUPT with the first entry that is not as it was recorded
 */
export async function readProvenLog(log: Log, begun: GrowingTree, visit: Visit): Promise<GrowingTree> {
  const stored = await log.compactRange();
  const continues = stored.size >= begun.size && begun.isMadeOf((await log.compactRange(begun.size)).hashes);
  if (!continues) throw damaged(`The log no longer starts with the ${begun.size} entries that were read before`);
  const tree = begun.copy();
  for await (const page of log.pages.lines({ from: begun.size, to: stored.size }, ENDING)) {
    if (!append(tree, page, visit)) throw await firstDamage(log, begun, stored.size);
    await turn();
  }
  if (!tree.isMadeOf(stored.hashes)) throw await firstDamage(log, begun, stored.size);
  return tree;
}

/** @returns false when the page does not look like entries */
function append(tree: GrowingTree, { from, to, bytes }: LinePage, visit: Visit | null): boolean {
  let start = 0;
  for (let seq = from; seq < to; seq++) {
    const end = to - from === 1 ? bytes.length - ENDING.length : bytes.indexOf(NEWLINE, start);
    if (end < 0) return false;
    const text = bytes.toString('utf8', start, end);
    tree.append(leafHash(text));
    if (visit !== null) {
      const entry = entryOf(text);
      if (entry?.seq !== seq) return false;
      visit(entry);
    }
    start = end + 1;
  }
  return start === bytes.length;
}

function entryOf(text: string): LogEntry | null {
  const parsed = () => JSON.parse(text) as StoredEvent;
  const event = () => upgraded(parsed());
  const [, kind, seq, subject, v] = HEADER.exec(text.slice(text.lastIndexOf('"kind":"'))) ?? [];
  if (kind !== undefined && subject !== undefined)
    return { seq: Number(seq), kind: kind as EventKind, subject, v: Number(v), event };
  try {
    const whole = parsed();
    return { seq: whole.seq, kind: whole.kind, subject: whole.subject, v: whole.v, event };
  } catch {
    return null;
  }
}

/** A second pass, only where something is wrong: the tree as computed beside the tree as stored. */
async function firstDamage(log: Log, begun: GrowingTree, size: number): Promise<LukhasError> {
  const tree = begun.copy();
  for await (const page of log.pages.lines({ from: begun.size, to: size }, ENDING)) {
    const before = tree.copy();
    if (!append(tree, page, null) || !(await isStored(log, tree))) return damageIn(log, before, page);
    await turn();
  }
  return damageAt(begun.size);
}

async function damageIn(log: Log, tree: GrowingTree, { from, to }: LinePage): Promise<LukhasError> {
  for (let seq = from; seq < to; seq++) {
    for await (const line of log.pages.lines({ from: seq, to: seq + 1 }, ENDING)) append(tree, line, null);
    if (!(await isStored(log, tree))) return damageAt(seq);
  }
  return damageAt(from);
}

async function isStored(log: Log, tree: GrowingTree): Promise<boolean> {
  return tree.isMadeOf((await log.compactRange(tree.size)).hashes);
}

function damageAt(seq: number): LukhasError {
  return damaged(`Entry ${seq} of the log, or one next to it in the tree, was changed after it was recorded`);
}

/** The error for a log that does not hold. @param what without a full stop */
export function damaged(what: string): LukhasError {
  return new LukhasError('LEDGER_CORRUPT', `${what}. Nothing is recorded or promoted on it.`, {
    suggestions: ['Run `lukhas verify` to see what is damaged, keep the file as it is, and restore a backup.'],
  });
}

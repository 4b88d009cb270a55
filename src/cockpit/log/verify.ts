import { merkleVerifier } from '../../lib/evidence/tree/index.js';
import { type EntryRow, entryRow } from '../../lib/view/index.js';
import { sha256 } from './sha256.js';

/** Whatever is said of an entry here was computed in this page, from the recorded bytes, by the code that `lukhas verify` uses. */
const { leafHash, verifyInclusion, verifyConsistency } = merkleVerifier(sha256);

/** Answer of `/api/log`; see `LogPage` in the library. Hashes are base64. */
export interface LogAnswer {
  size: number;
  root: string;
  entries: { seq: number; body: string; path: number[] }[];
  hashes: string[];
  next: number | null;
  consistency: string[] | null;
}

/** The log as one tree: how many entries, and the hash over all of them. */
export interface Head {
  size: number;
  root: Uint8Array;
}

export interface CheckedEntry {
  row: EntryRow;
  /** As recorded. */
  body: string;
  event: Parameters<typeof entryRow>[0];
  /** Of the recorded bytes. */
  leaf: Uint8Array;
  /** From the leaf to the root, lowest first. */
  path: Uint8Array[];
  /** Its bytes are what the tree has at its place. */
  holds: boolean;
}

export interface CheckedLog {
  head: Head;
  entries: CheckedEntry[];
  next: number | null;
  /** The log that this page saw before, which this one continues (true) or not (false); null: it saw none. */
  before: { size: number; continued: boolean } | null;
}

/** The newest log that was seen since the page was opened. */
let seen: Head | null = null;

export function seenSize(): number | null {
  return seen?.size ?? null;
}

export function checked(answer: LogAnswer): CheckedLog {
  const head = { size: answer.size, root: fromBase64(answer.root) };
  const hashes = answer.hashes.map(fromBase64);
  const entries = answer.entries.map(({ seq, body, path }) =>
    checkedEntry(
      body,
      seq,
      path.map((place) => hashes[place]!),
      head,
    ),
  );
  const before = seen === null ? null : { size: seen.size, continued: continues(seen, head, answer.consistency) };
  // What does not continue it is not taken for the log from then on.
  if (before === null || before.continued) seen = head;
  return { head, entries, next: answer.next, before };
}

function checkedEntry(body: string, seq: number, path: Uint8Array[], { size, root }: Head): CheckedEntry {
  const event = JSON.parse(body) as CheckedEntry['event'];
  const leaf = leafHash(body);
  const holds = event.seq === seq && verifyInclusion({ index: seq, size, leaf, path, root });
  return { row: entryRow(event), body, event, leaf, path, holds };
}

function continues(first: Head, second: Head, path: string[] | null): boolean {
  const [firstRoot, secondRoot] = [first.root, second.root];
  const claim = { first: first.size, second: second.size, firstRoot, secondRoot };
  return path !== null && verifyConsistency({ ...claim, path: path.map(fromBase64) });
}

/** A proof as `lukhas prove` writes it, as far as it is verified here. */
export interface CheckedProof {
  origin: string;
  size: number;
  root: Uint8Array;
  /** The entry that it has is this one, and it is in the tree that the checkpoint names. */
  holds: boolean;
}

/** https://c2sp.org/tlog-proof and tlog-checkpoint. @throws Error for another form */
export function checkedProof(text: string, seq: number, body: string): CheckedProof {
  const [head = '', origin = '', ...rest] = splitOnce(text);
  const [, extra = '', index = '', ...path] = head.split('\n');
  const [size = '', root = ''] = rest;
  const proved = new TextDecoder().decode(fromBase64(extra.replace('extra ', '')));
  const claim = { index: seq, size: Number(size), leaf: leafHash(body), root: fromBase64(root) };
  const holds =
    index === `index ${seq}` && proved === body && verifyInclusion({ ...claim, path: path.map(fromBase64) });
  return { origin, size: claim.size, root: claim.root, holds };
}

/** What stands before the first empty line, then the lines after it. */
function splitOnce(text: string): string[] {
  const end = text.indexOf('\n\n');
  return [text.slice(0, end), ...text.slice(end + 2).split('\n')];
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

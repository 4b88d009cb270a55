import { isUtf8 } from 'node:buffer';
import {
  type EvidenceStatement,
  parseDecision,
  parseStatement,
  refused,
  type StatedDecision,
} from '../formats/index.js';
import { MemberNames, Texts } from './members.js';

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_GROUP, CLOSE_GROUP] = [0x5b, 0x5d, 0x7b, 0x7d];

/** A decision as it is kept: its texts that many decisions share are numbers. */
type Kept = [seq: number, canaryId: string, modelId: string, ...shared: number[]];

const SHARED = ['fromGate', 'toGate', 'outcome', 'basis', 'policyDigest'] as const;

/** Decisions kept in one string. */
const PAGE = 512;

/**
 * The statement of a pack. A long window has hundreds of thousands of decisions: they are kept as text, because objects would
 * take many times the memory.
 */
export class PackStatement {
  readonly subject: EvidenceStatement['subject'];
  readonly predicate: Omit<EvidenceStatement['predicate'], 'decisions'>;
  /** Digests of the policies that decisions name. */
  readonly policies: ReadonlySet<string>;
  /** Paths of members that are not known; nothing here can compare them. */
  readonly unknown: readonly string[];
  /** How many decisions there are. */
  readonly length: number;
  readonly #tally: ReadonlyMap<string, number>;
  readonly #pages: readonly string[];
  readonly #texts: Texts;
  /** The page that was read last. */
  #open: { page: number; decisions: readonly Kept[] } | null = null;

  /**
   * Reads a payload; unknown members are listed. Only the form that `JSON.stringify` writes is accepted: where a member
   * is there twice, another reader could take the other one.
   * @throws LukhasError VERIFICATION: which field, and why
   */
  constructor(payload: Buffer) {
    if (!isUtf8(payload)) throw refused('statement: is not JSON');
    const start = decisionsAt(payload);
    const kept = new KeptDecisions();
    const end = start === null ? 0 : readDecisions(payload, start, kept);
    const text =
      start === null ? payload.toString() : payload.toString('utf8', 0, start) + payload.toString('utf8', end);
    const whole = parseExact(text);
    const read = parseStatement(whole);
    const { subject, predicate } = read;
    kept.names.addUnread(whole, read);
    this.unknown = kept.names.list();
    this.subject = subject;
    this.predicate = predicate;
    this.policies = kept.policies;
    this.length = kept.count;
    this.#tally = kept.tally;
    this.#pages = kept.pages();
    this.#texts = kept.texts;
  }

  /** The decision at this index, from 0; undefined after the last. Cheap when called in order. */
  decision(index: number): StatedDecision | undefined {
    const page = Math.floor(index / PAGE);
    if (this.#open?.page !== page) {
      const decisions = JSON.parse(this.#pages[page] ?? '[]') as Kept[];
      this.#open = { page, decisions };
    }
    const kept = this.#open.decisions[index % PAGE];
    if (kept === undefined) return undefined;
    const [seq, canaryId, modelId, ...shared] = kept;
    const texts = SHARED.map((name, i) => [name, this.#texts.at(shared[i] ?? -1)]);
    return { seq, canaryId, modelId, ...Object.fromEntries(texts) };
  }

  /** How many decisions have this outcome, or this basis. */
  countOf(what: StatedDecision['outcome'] | StatedDecision['basis']): number {
    return this.#tally.get(what) ?? 0;
  }
}

/** Collects decisions in order. */
class KeptDecisions {
  count = 0;
  readonly policies = new Set<string>();
  readonly tally = new Map<string, number>();
  readonly texts = new Texts();
  readonly names = new MemberNames();
  readonly #pages: string[] = [];
  #last: Kept[] = [];

  /** @param value the decision with all its members */
  add(decision: StatedDecision, value: unknown): void {
    const { seq, canaryId, modelId, outcome, basis, policyDigest } = decision;
    this.names.addUnread(value, decision, 'predicate.decisions[]');
    this.count++;
    if (policyDigest !== null) this.policies.add(policyDigest);
    for (const what of [outcome, basis]) this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
    const shared = SHARED.map((name) => this.texts.numberOf(decision[name]));
    if (this.#last.push([seq, canaryId, modelId, ...shared]) === PAGE) this.#endPage();
  }

  pages(): string[] {
    this.#endPage();
    return this.#pages;
  }

  #endPage(): void {
    this.#pages.push(JSON.stringify(this.#last));
    this.#last = [];
  }
}

/** @returns the index of the bracket after them */
function readDecisions(payload: Buffer, first: number, kept: KeptDecisions): number {
  if (payload[first] === CLOSE_LIST) return first;
  for (let start = first; ; ) {
    const end = endOfItem(payload, start);
    const value = parseExact(payload.toString('utf8', start, end));
    kept.add(parseDecision(value, kept.count), value);
    if (payload[end] === CLOSE_LIST) return end;
    start = end + 1;
  }
}

/** Depth of the predicate's members: below the statement and the predicate. */
const DEPTH = 3;

/** Index of the first item of the list `predicate.decisions`; null when there is no such list. */
function decisionsAt(bytes: Buffer): number | null {
  /** Name of the current member at each depth. */
  const names: string[] = [''];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      const end = endOfString(bytes, at);
      if (bytes[end] === COLON) names[names.length - 1] = bytes.toString('latin1', at + 1, end - 1);
      at = end - 1;
    } else if (byte === OPEN_LIST || byte === OPEN_GROUP) {
      const isPredicate = names.length === DEPTH && names[1] === 'predicate';
      if (byte === OPEN_LIST && isPredicate && names[2] === 'decisions') return at + 1;
      names.push('');
    } else if (byte === CLOSE_LIST || byte === CLOSE_GROUP) names.pop();
  }
  return null;
}

/** Index of the comma or bracket after an item of a list. @throws LukhasError VERIFICATION: there is none */
function endOfItem(bytes: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at) - 1;
    else if (byte === OPEN_LIST || byte === OPEN_GROUP) depth++;
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) return at;
    else if (byte === CLOSE_LIST || byte === CLOSE_GROUP) depth--;
  }
  throw refused('statement: is not JSON');
}

/** Index after the string that begins at this quote. */
function endOfString(bytes: Buffer, quote: number): number {
  let at = quote + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function parseExact(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refused('statement: is not JSON', error);
  }
  if (isDeep(value)) throw refused('statement: is nested too deeply');
  if (JSON.stringify(value) !== text)
    throw refused('statement: is not in canonical form: it has extra white space or a duplicate member');
  return value;
}

/** Deeper than any statement. How deep JSON.stringify can go depends on the version of Node.js: 26 has no limit. */
const MAX_DEPTH = 64;

function isDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth >= MAX_DEPTH || Object.values(value).some((member) => isDeep(member, depth + 1));
}

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Findings } from './findings.js';
import { unreadable } from './versions.js';

/** A row of the log; `unknown` where the column's type cannot be relied on. */
export interface EntryRow {
  seq: number;
  ts: unknown;
  kind: unknown;
  subject: unknown;
  hash: unknown;
  nodes: unknown;
  body: unknown;
}

/** A perfect subtree of `size` leaves: its root as computed from the entries, and as stored. */
interface Subtree {
  size: number;
  computed: Buffer;
  stored: Buffer;
}

/**
 * Checks entries in order of sequence. The tree is recomputed with a stack of perfect subtrees: two of equal size make one.
 * Each stored node is compared with its stored children, so that one wrong hash gives one finding.
 */
export class EntryChecker {
  readonly #findings: Findings;
  readonly #stack: Subtree[] = [];
  #size = 0;
  #next = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Entries seen. */
  get size(): number {
    return this.#size;
  }

  /** The sequence number that should come next. */
  get next(): number {
    return this.#next;
  }

  /** @returns the event; undefined when the body is not one */
  check(row: EntryRow): unknown {
    this.#checkSequence(row.seq);
    const event = this.#checkBody(row);
    this.#checkTree(row);
    this.#next = row.seq + 1;
    this.#size++;
    this.#findings.checked.entries++;
    return event;
  }

  /** RFC 6962 root over the entries seen. */
  root(): Buffer {
    const right = this.#stack.at(-1)?.computed;
    if (right === undefined) return sha256();
    return this.#stack.slice(0, -1).reduceRight((root, left) => parent(left.computed, root), right);
  }

  #checkSequence(seq: number): void {
    if (seq === this.#next) return;
    if (seq < this.#next) this.#findings.bad(seq, 'sequence number is below 0');
    else this.#findings.bad(this.#next, seq === this.#next + 1 ? 'missing' : `missing, up to entry ${seq - 1}`);
    if (this.#contiguous)
      this.#findings.unchecked(`tree nodes from entry ${this.#next} on: the sequence is broken there`);
    this.#contiguous = false;
  }

  #contiguous = true;

  #checkBody(row: EntryRow): unknown {
    const { seq, body } = row;
    const event = typeof body === 'string' ? parse(body) : undefined;
    if (!isRecord(event)) {
      this.#findings.bad(seq, 'body is not a JSON object');
      return undefined;
    }
    if (canonical(event) !== body) this.#findings.bad(seq, 'body is not canonical JSON (RFC 8785)');
    const foreign = unreadable(event['kind'], event['v']);
    if (foreign !== null) this.#findings.bad(seq, foreign);
    for (const column of ['seq', 'ts', 'kind', 'subject'] as const) {
      if (event[column] !== row[column]) {
        this.#findings.bad(
          seq,
          `${column} is ${show(event[column])} in the body, but ${show(row[column])} in its column`,
        );
      }
    }
    return event;
  }

  #checkTree({ seq, hash, nodes, body }: EntryRow): void {
    const computed = sha256(Buffer.from([0]), Buffer.from(String(body)));
    if (!Buffer.isBuffer(hash) || !hash.equals(computed)) {
      this.#findings.bad(seq, 'stored hash does not match its bytes');
    }
    const stored = nodes === null ? [] : split(nodes);
    const expected = this.#push({ size: 1, computed, stored: asHash(hash) ?? computed }, stored, seq);
    if (this.#contiguous && (stored === null || stored.length !== expected)) {
      this.#findings.bad(seq, `stores ${stored?.length ?? 'garbled'} tree nodes, expected ${expected}`);
    }
  }

  /** @returns how many subtrees the leaf completes */
  #push(leaf: Subtree, nodes: readonly Buffer[] | null, seq: number): number {
    let right = leaf;
    let level = 0;
    for (let left = this.#stack.at(-1); left?.size === right.size; left = this.#stack.at(-1)) {
      this.#stack.pop();
      const fromStored = parent(left.stored, right.stored);
      const stored = nodes?.[level] ?? fromStored;
      if (this.#contiguous) this.#checkNode(stored.equals(fromStored), seq, right.size * 2);
      right = { size: right.size * 2, computed: parent(left.computed, right.computed), stored };
      level++;
    }
    this.#stack.push(right);
    return level;
  }

  #checkNode(holds: boolean, seq: number, size: number): void {
    this.#findings.checked.nodes++;
    if (holds) return;
    const first = seq - size + 1;
    // At the lowest level either entry may be the changed one; above, the nodes below already cover the entries.
    this.#findings.bad(size === 2 ? first : seq, `tree node over entries ${first} to ${seq} does not match them`);
  }
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}

function parent(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.from([1]), left, right);
}

function asHash(value: unknown): Buffer | null {
  return Buffer.isBuffer(value) && value.length === 32 ? value : null;
}

function split(nodes: unknown): Buffer[] | null {
  if (!Buffer.isBuffer(nodes) || nodes.length % 32 !== 0) return null;
  return Array.from({ length: nodes.length / 32 }, (_, i) => nodes.subarray(i * 32, (i + 1) * 32));
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined for what cannot be canonical, such as a lone surrogate. */
export function canonical(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'absent';
}

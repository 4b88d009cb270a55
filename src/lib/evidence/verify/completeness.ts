import * as z from 'zod';
import { parseInput } from '../../input/index.js';
import { decodeBase64, refused } from '../formats/index.js';
import { parseCanonical } from './canonical.js';
import type { Subtree } from './tree.js';

/** completeness.json without its list of omitted entries. */
export interface CompletenessFrame {
  from: number;
  before: Subtree[];
  root: Buffer;
  to: number;
}

interface Omitted {
  seq: number;
  hash: Buffer;
}

const OPENING = '"omitted":[';
/** 53 subtrees, and some room to spare. */
const MAX_FRAME = 64 * 1024;
const ITEM = /\{"hash":"([A-Za-z0-9+/]{43}=)","seq":(0|[1-9][0-9]{0,15})\}(,|\])/y;
const HASH_BYTES = 32;

const count = z.int().min(0);
/** A SHA-256 hash in base64, as its 32 bytes. */
export const sha256Hash = z.string().transform((text, context) => {
  const bytes = decodeBase64(text);
  if (bytes?.length === HASH_BYTES) return bytes;
  context.addIssue({ code: 'custom', message: 'is not a SHA-256 hash in base64' });
  return z.NEVER;
});
const frameSchema = z.strictObject({
  before: z.array(z.strictObject({ level: z.int().min(0).max(52), index: count, hash: sha256Hash })).max(53),
  from: count,
  omitted: z.tuple([]),
  root: sha256Hash,
  to: count,
});

/**
 * Reads completeness.json as a stream: a narrow filter on a long log omits nearly every entry. Strict: only canonical JSON
 * is accepted, so that each content has one form.
 */
export class Completeness {
  readonly #chunks: AsyncIterator<Buffer>;
  #text = '';
  #at = 0;
  #ended = false;
  /** The text before the list. */
  #head = '';
  #from = 0;
  #next: Omitted | null = null;

  private constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** @throws LukhasError VERIFICATION: form */
  static async open(chunks: AsyncIterable<Buffer>): Promise<Completeness> {
    const read = new Completeness(chunks);
    while (!read.#text.includes(OPENING)) {
      if (read.#text.length > MAX_FRAME || !(await read.#more())) throw badForm();
    }
    const start = read.#text.indexOf(OPENING) + OPENING.length;
    read.#head = read.#text.slice(0, start);
    read.#at = start;
    read.#begin();
    await read.#first();
    return read;
  }

  /** Sets `from` and `before`, which stand before the list. */
  #begin(): void {
    const { from, before } = this.#frame(`],"root":"${Buffer.alloc(HASH_BYTES).toString('base64')}","to":0}`);
    this.#from = from;
    this.before = before;
  }

  before: Subtree[] = [];

  get from(): number {
    return this.#from;
  }

  /** The next omitted entry; null after the last. */
  get next(): Omitted | null {
    return this.#next;
  }

  /** Goes to the omitted entry after `next`. @throws LukhasError VERIFICATION: form, or order */
  async advance(): Promise<void> {
    const before = this.#next;
    if (before === null) return;
    this.#next = this.#text[this.#at - 1] === ']' ? null : await this.#item();
    if (this.#next !== null && this.#next.seq <= before.seq) throw badForm();
  }

  /** Reads the rest of the list and what follows it. @throws LukhasError VERIFICATION: form */
  async frame(): Promise<CompletenessFrame> {
    while (this.#next !== null) await this.advance();
    while (await this.#more()) if (this.#text.length > MAX_FRAME) throw badForm();
    // The bracket is the last character that was consumed.
    const tail = `]${this.#text.slice(this.#at)}`;
    if (!tail.endsWith('}\n')) throw badForm();
    return this.#frame(tail.slice(0, -1));
  }

  async #first(): Promise<void> {
    if (this.#at >= this.#text.length && !(await this.#more())) throw badForm();
    if (this.#text[this.#at] === ']') this.#at++;
    else this.#next = await this.#item();
  }

  async #item(): Promise<Omitted> {
    for (;;) {
      ITEM.lastIndex = this.#at;
      const [whole, base64 = '', seq = ''] = ITEM.exec(this.#text) ?? [];
      const bytes = decodeBase64(base64);
      if (whole !== undefined && bytes?.length === HASH_BYTES) {
        this.#at += whole.length;
        return { seq: Number(seq), hash: bytes };
      }
      if (this.#text.length - this.#at > MAX_FRAME || !(await this.#more())) throw badForm();
    }
  }

  #frame(tail: string): CompletenessFrame {
    const value = parseCanonical(Buffer.from(this.#head + tail));
    if (value === undefined) throw badForm();
    return parseInput(frameSchema, value, 'completeness.json', 'VERIFICATION');
  }

  /** Reads more text; keeps only what has not been consumed, and the character before it. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const next = await this.#chunks.next();
    this.#ended = next.done === true;
    if (this.#ended) return false;
    const keep = Math.max(0, this.#at - 1);
    // Latin-1: every byte is one character, and only ASCII is valid here.
    this.#text = this.#text.slice(keep) + (next.value as Buffer).toString('latin1');
    this.#at -= keep;
    return true;
  }
}

function badForm(): Error {
  return refused('completeness.json: is not canonical JSON of the form {before, from, omitted, root, to}');
}

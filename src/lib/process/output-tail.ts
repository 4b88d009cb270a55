/** Keeps the end of a stream, whatever its length, and counts all of it. */
export class OutputTail {
  readonly #limit: number;
  #kept = Buffer.alloc(0);
  #bytes = 0;

  /** @param limit bytes that are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#kept = Buffer.concat([this.#kept, chunk.subarray(-this.#limit)]).subarray(-this.#limit);
  }

  /** All that came, also what was not kept. */
  get bytes(): number {
    return this.#bytes;
  }

  get truncated(): boolean {
    return this.#bytes > this.#limit;
  }

  /** The last bytes, begun at a whole UTF-8 character. */
  end(): Buffer {
    return this.truncated ? fromWholeCharacter(this.#kept) : this.#kept;
  }

  /** The same as text, of no more bytes than the limit: what is no UTF-8 becomes U+FFFD, which is longer. */
  text(): { text: string; truncated: boolean } {
    const text = this.end().toString('utf8');
    if (Buffer.byteLength(text) <= this.#limit) return { text, truncated: this.truncated };
    return { text: fromWholeCharacter(Buffer.from(text).subarray(-this.#limit)).toString('utf8'), truncated: true };
  }
}

function fromWholeCharacter(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start);
}

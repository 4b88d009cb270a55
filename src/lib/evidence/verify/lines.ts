import { refused } from '../formats/index.js';

const NEWLINE = 0x0a;
/** Far longer than any entry; a file without a newline must not fill the memory. */
const MAX_LINE = 64 * 1024 * 1024;

/** Lines without their newline, in batches as they arrive. @throws LukhasError VERIFICATION: too long, or no final newline */
export async function* lineBatches(name: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end < 0) {
      parts.push(chunk);
      held += chunk.length;
      if (held > MAX_LINE) throw refused(`${name}: has a line of more than ${MAX_LINE} bytes`);
      continue;
    }
    const bytes = Buffer.concat([...parts, chunk.subarray(0, end + 1)]);
    yield split(bytes);
    parts = [chunk.subarray(end + 1)];
    held = chunk.length - end - 1;
  }
  if (held > 0) throw refused(`${name}: does not end in a newline`);
}

function split(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** A file that must equal bytes computed from another one, compared while both are read. */
export class ExpectedFile {
  readonly #chunks: AsyncIterator<Buffer>;
  #held = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** @returns null when exactly these bytes come next; else the offset of the first difference */
  async differsAt(bytes: Buffer): Promise<number | null> {
    for (let done = 0; done < bytes.length; ) {
      if (this.#held.length === 0 && !(await this.#more())) return done;
      const length = Math.min(this.#held.length, bytes.length - done);
      const [actual, expected] = [this.#held.subarray(0, length), bytes.subarray(done, done + length)];
      if (!actual.equals(expected)) return done + actual.findIndex((byte, i) => byte !== expected[i]);
      this.#held = this.#held.subarray(length);
      done += length;
    }
    return null;
  }

  async atEnd(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#more());
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      if (next.value.length === 0) continue;
      this.#held = next.value as Buffer<ArrayBuffer>;
      return true;
    }
  }
}

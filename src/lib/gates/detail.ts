import { stripVTControlCharacters } from 'node:util';

/** Bytes of a hook's output, or of a response's body, that are kept. */
export const DETAIL_BYTES = 4096;

/** `label: text` in one line; terminal sequences, control and invisible formatting characters become spaces. */
export function detailLine(label: string, output: Buffer): string {
  const text = stripVTControlCharacters(output.toString('utf8'))
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return text === '' ? label : `${label}: ${text}`;
}

/** Keeps the end of a stream, whatever its length. */
export class OutputTail {
  #kept = Buffer.alloc(0);
  #dropped = false;

  add(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk.subarray(-DETAIL_BYTES)]);
    this.#dropped ||= all.length > DETAIL_BYTES || chunk.length > DETAIL_BYTES;
    this.#kept = all.subarray(-DETAIL_BYTES);
  }

  /** The last bytes, begun at a whole UTF-8 character. */
  end(): Buffer {
    let start = 0;
    while (this.#dropped && start < 4 && ((this.#kept[start] ?? 0) & 0xc0) === 0x80) start++;
    return this.#kept.subarray(start);
  }
}

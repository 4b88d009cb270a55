/** Longest name or id that is kept, bytes. */
const LONGEST = 1024;
const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/**
 * Finds the `id` of a JSON object that is too long to be kept and parsed, while its bytes pass, so that its sender can be answered.
 * Clients write the id first or last.
 */
export class TopLevelId {
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** The bytes of the current name or value of the outermost object. */
  #token: number[] = [];
  #name = '';
  #found = '';

  take(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#inText) this.#inside(byte);
      else this.#outside(byte);
    }
  }

  /** The last one, as it stands in the text; undefined when there is none, or it is not JSON or too long. */
  get value(): unknown {
    try {
      return this.#found === '' ? undefined : (JSON.parse(this.#found) as unknown);
    } catch {
      return undefined;
    }
  }

  #inside(byte: number): void {
    this.#keep(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
  }

  #outside(byte: number): void {
    if (OPENING.has(byte)) this.#depth++;
    else if (CLOSING.has(byte)) {
      this.#depth--;
      if (this.#depth === 0) this.#endMember();
    } else if (this.#depth === 1 && byte === COLON) this.#name = this.#text();
    else if (this.#depth === 1 && byte === COMMA) this.#endMember();
    else {
      this.#inText = byte === QUOTE;
      this.#keep(byte);
    }
  }

  #keep(byte: number): void {
    // One byte more than allowed shows that it is too long.
    if (this.#depth === 1 && this.#token.length <= LONGEST) this.#token.push(byte);
  }

  #endMember(): void {
    const value = this.#text();
    if (this.#name.trim() === '"id"') this.#found = value;
    this.#name = '';
  }

  #text(): string {
    const text = this.#token.length > LONGEST ? '' : Buffer.from(this.#token).toString('utf8');
    this.#token = [];
    return text;
  }
}

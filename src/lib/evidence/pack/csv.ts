import { AT, endOfValue, NONE, type Places, scanEvent } from './scan.js';

/** Lines of audits.csv (RFC 4180): for spreadsheets. The bytes that were logged are in audits.ndjson. */
const COLUMNS = [
  'seq',
  'ts',
  'kind',
  'subject',
  'model',
  'from_gate',
  'to_gate',
  'actor',
  'decision',
  'reason',
  'data',
] as const;

export const CSV_HEADER = `${COLUMNS.join(',')}\r\n`;
/** Before the header, Excel reads the file as UTF-8 because of it. */
export const CSV_BOM = '\ufeff';
/** How strings are kept from being formulas; `meta.json` says so, because packs of older versions have them in another form. */
export const CSV_FORM = 2;

/** What a spreadsheet may drop at the start of a cell: quotes, spaces, and what cannot be seen. */
const DROPPED = '(?:["\\p{Z}\\p{Cf}\\p{Default_Ignorable_Code_Point}]|(?![\\t\\r\\n])\\p{Cc})*';
/** Characters that start a formula, also in full width, or that are dropped before one. */
const FORMULA = '[=+\\-@\\t\\r\\uff1d\\uff0b\\uff0d\\uff20]';
/**
 * Where a cell begins for some reader, and may be taken for a formula. Besides the start of the field, a cell begins after each semicolon
 * and tab for readers that separate with these, after each line break for those that then see no quotes, and after each comma for those that
 * know no quotes. An apostrophe that stands at such a place gets another one, so that whoever drops one at each place has the text.
 */
const CELL_STARTS = new RegExp(
  `^(?=${DROPPED}(?:${FORMULA}|\\n)|')|(?<=[,;\\t\\n]|\\r(?!\\n))(?=${DROPPED}${FORMULA}|')`,
  'gu',
);
/** Also what other separators would split. */
const QUOTED = /[",;\t\r\n]/;
/** Bytes of text that needs no change: the first is not a sign, and none requires quotes. */
const PLAIN_FIRST = bytesOf(/[A-Za-z0-9]/);
const PLAIN = bytesOf(/[\w.:/ +@-]/);
/** Follows the data of an event, because members are sorted. */
const KIND = ',"kind":'.length;
const [NEWLINE, QUOTE, COMMA, SEMICOLON, BACKSLASH, MINUS, SPACE] = [0x0a, 0x22, 0x2c, 0x3b, 0x5c, 0x2d, 0x20];
/** Upper bound of a row's length, per byte of its line: data with every character escaped, and values with all quotes doubled. */
const MOST_QUOTED = 10;
/** Room for the rest of a row: commas, and quotes around fields. */
const AROUND = 512;
const ROW_END = Buffer.from('"\r\n');

/** Values of the columns before the data: the first member or, where it is missing, the second. */
const FIELDS: readonly (readonly [number, number])[] = [
  [AT.seq, AT.seq],
  [AT.ts, AT.ts],
  [AT.kind, AT.kind],
  [AT.subject, AT.subject],
  [AT['data.modelId'], AT['data.modelId']],
  [AT['data.fromGate'], AT['data.fromGate']],
  [AT['data.toGate'], AT['data.gate']],
  [AT['data.by.who'], AT['data.requestedBy.who']],
  [AT['data.verdict.decision'], AT['data.action']],
  [AT['data.verdict.reason'], AT['data.reason']],
];

/**
 * Writes events as CSV rows. What a spreadsheet would run gets an apostrophe before it; numbers are unchanged. Works on
 * bytes: as strings, this would take most of the time of an export.
 */
export class CsvLines {
  readonly #places: Places = new Int32Array(Object.keys(AT).length);
  #out = Buffer.alloc(0);
  #at = 0;

  /** @param page the recorded bytes, each line followed by a comma and a newline */
  of(page: Buffer): Buffer {
    this.#at = 0;
    for (let start = 0; start < page.length; ) {
      const next = page.indexOf(NEWLINE, start) + 1;
      this.#reserve((next - start) * MOST_QUOTED + AROUND);
      this.#row(page, start, next);
      start = next;
    }
    return Buffer.from(this.#out.subarray(0, this.#at));
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#at + bytes));
    this.#out.copy(larger, 0, 0, this.#at);
    this.#out = larger;
  }

  #row(page: Buffer, start: number, end: number): void {
    const [places, out] = [this.#places, this.#out];
    scanEvent(page, start, end, places);
    for (let field = 0; field < FIELDS.length; field++) {
      const [first, second] = FIELDS[field] as readonly [number, number];
      const value = places[first] === NONE ? (places[second] as number) : (places[first] as number);
      if (value !== NONE) this.#field(page, value, end);
      out[this.#at++] = COMMA;
    }
    // An object begins with a brace: not a formula, but it needs quotes.
    out[this.#at++] = QUOTE;
    this.#at = quoteJson(page, places[AT.data] as number, (places[AT.kind] as number) - KIND, out, this.#at);
    this.#at += ROW_END.copy(out, this.#at);
  }

  #field(page: Buffer, start: number, end: number): void {
    const first = page[start] === QUOTE ? start + 1 : start;
    const after = plainEnd(page, first);
    // A string is plain as a whole when its closing quote comes next; a number has no quote.
    if (after > first && (page[after] === QUOTE) === first > start) {
      const out = this.#out;
      let at = this.#at;
      for (let i = first; i < after; i++) out[at++] = page[i] as number;
      this.#at = at;
      return;
    }
    const value: unknown = JSON.parse(page.toString('utf8', start, endOfValue(page, start, end)));
    this.#at += this.#out.write(cell(value), this.#at);
  }
}

function bytesOf(characters: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (characters.test(String.fromCharCode(byte)) ? 1 : 0));
}

/** @returns the end of the bytes that need no change; `start` when there are none */
function plainEnd(bytes: Buffer, start: number): number {
  if (PLAIN_FIRST[bytes[start] as number] !== 1) return start;
  let i = start + 1;
  while (PLAIN[bytes[i] as number] === 1) i++;
  return i;
}

const ESCAPED_COMMA = Buffer.from('\\u002c');
const ESCAPED_SEMICOLON = Buffer.from('\\u003b');

/**
 * Copies the JSON in [start, end) of `from` with quotes doubled, written so that no reader finds the start of a formula in it: in strings,
 * semicolons and commas before one are escapes; numbers below zero stand after a space. It says the same. @returns where it ended
 */
function quoteJson(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let next = at;
  let inString = false;
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if (byte === SEMICOLON) {
      next += ESCAPED_SEMICOLON.copy(to, next);
      continue;
    }
    if (byte === COMMA && startsFormula(from, i + 1)) {
      if (inString) next += ESCAPED_COMMA.copy(to, next);
      else {
        to[next++] = COMMA;
        to[next++] = SPACE;
      }
      continue;
    }
    to[next++] = byte;
    if (byte === QUOTE) {
      to[next++] = QUOTE;
      inString = !inString;
    } else if (byte === BACKSLASH) {
      // The character after it ends no string.
      const escaped = from[++i] as number;
      to[next++] = escaped;
      if (escaped === QUOTE) to[next++] = QUOTE;
    }
  }
  return next;
}

/** Other characters of FORMULA are escapes in JSON. */
function startsFormula(bytes: Buffer, at: number): boolean {
  const byte = bytes[at];
  if (byte === MINUS || byte === 0x3d || byte === 0x2b || byte === 0x40) return true;
  if (byte !== 0xef || bytes[at + 1] !== 0xbc) return false;
  return FULL_WIDTH.has(bytes[at + 2] as number);
}

/** The last of their three bytes: = + - @. */
const FULL_WIDTH: ReadonlySet<number> = new Set([0x9d, 0x8b, 0x8d, 0xa0]);

/** A field; empty for objects. Only strings can be formulas. */
export function cell(value: unknown): string {
  if (value === undefined || typeof value === 'object') return '';
  if (typeof value !== 'string') return String(value);
  const safe = value.replace(CELL_STARTS, "'");
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * PromQL text below the grammar: where strings and comments lie, and how a string literal is written and read.
 * String rules: https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
 */
export type Piece =
  | { kind: 'code' | 'comment'; from: number; text: string }
  | {
      kind: 'string';
      from: number;
      /** With its quotes. */
      text: string;
      quote: string;
      /** Between the quotes, escapes untouched. */
      body: string;
      closed: boolean;
      /** Stands after `=~` or `!~`. */
      regex: boolean;
    };

const PIECE = /#[^\n]*|"(?:\\[\s\S]|[^"\\\n])*("?)|'(?:\\[\s\S]|[^'\\\n])*('?)|`[^`]*(`?)|[^#"'`]+/g;

/** Cuts an expression into code, comments and string literals; joined they give the expression again. */
export function pieces(expr: string): Piece[] {
  let code = '';
  return [...expr.matchAll(PIECE)].map((match) => {
    const [text] = match;
    const first = text.charAt(0);
    const from = match.index;
    if (first === '#') return { kind: 'comment', from, text };
    if (first !== '"' && first !== "'" && first !== '`') {
      code = code.trimEnd() + text;
      return { kind: 'code', from, text };
    }
    const closed = Boolean(match[1] ?? match[2] ?? match[3]);
    const regex = /[=!]~\s*$/.test(code);
    code = '';
    return { kind: 'string', from, text, quote: first, body: text.slice(1, closed ? -1 : undefined), closed, regex };
  });
}

const CHARACTER_ESCAPES: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
const ESCAPE = /^\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/;

/** One step of a quoted body: its length, and the bytes it stands for; null when the escape is unknown. */
function step(body: string, at: number, quote: string): { length: number; bytes: Buffer } | null {
  if (body[at] !== '\\') {
    const char = String.fromCodePoint(body.codePointAt(at) ?? 0);
    return { length: char.length, bytes: Buffer.from(char) };
  }
  const found = ESCAPE.exec(body.slice(at, at + 10));
  if (!found) return null;
  const [text, octal, hex, short, long, char] = found;
  const byte = octal ? Number.parseInt(octal, 8) : hex ? Number.parseInt(hex, 16) : null;
  if (byte !== null) return byte > 255 ? null : { length: text.length, bytes: Buffer.from([byte]) };
  const point = short ?? long;
  if (point !== undefined) {
    const value = Number.parseInt(point, 16);
    return value > 0x10ffff ? null : { length: text.length, bytes: Buffer.from(String.fromCodePoint(value)) };
  }
  const plain = char === quote ? quote : CHARACTER_ESCAPES[char ?? ''];
  return plain === undefined ? null : { length: 2, bytes: Buffer.from(plain) };
}

/** Offset in `body` of an escape that Prometheus does not know; -1 when all are known. */
export function unknownEscape(body: string, quote: string): number {
  if (quote === '`') return -1;
  for (let at = 0; at < body.length; ) {
    const taken = step(body, at, quote);
    if (!taken) return at;
    at += taken.length;
  }
  return -1;
}

/** The value of a string literal, quotes included in `literal`; null when it is not one. */
export function unquote(literal: string): string | null {
  const [piece, more] = pieces(literal);
  if (piece?.kind !== 'string' || more || !piece.closed) return null;
  if (piece.quote === '`') return piece.body;
  const bytes: Buffer[] = [];
  for (let at = 0; at < piece.body.length; ) {
    const taken = step(piece.body, at, piece.quote);
    if (!taken) return null;
    bytes.push(taken.bytes);
    at += taken.length;
  }
  return Buffer.concat(bytes).toString('utf8');
}

// U+FFFD is written as an escape because Prometheus' lexer takes the raw rune for broken UTF-8.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const MUST_ESCAPE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Escapes a value so that it may stand between `quote`s (`"` or `'`) as it is. */
export function escapeString(value: string, quote: string): string {
  return value
    .replace(LONE_SURROGATE, '\ufffd')
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replace(MUST_ESCAPE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Escapes a value so that RE2 matches it literally (as Go's `regexp.QuoteMeta`). */
export function escapeRegex(value: string): string {
  return value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

/** A value as a double-quoted PromQL string. */
export function quote(value: string): string {
  return `"${escapeString(value, '"')}"`;
}

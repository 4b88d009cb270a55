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

/** What a spreadsheet takes for the beginning of a formula, also in full width, or drops before it. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
/** Most texts: looked at once. */
const PLAIN = /^[A-Za-z0-9][\w.:;/ +@-]*$/;
const QUOTED = /[",\r\n]/;
/** Canonical JSON sorts members: an event begins with its data, and its kind comes next. */
const DATA_START = '{"data":'.length;
const DATA_END = Buffer.from(',"kind":"');
/** Between recorded lines, and after the last. */
const ENDING = ',\n';
const NEWLINE = 0x0a;
const QUOTE = 0x22;
/** Quotes are doubled; a character of UTF-16 has three bytes of UTF-8 at most. */
const [MOST_QUOTED, MOST_BYTES] = [2, 3];
const ROW_END = '"\r\n';

interface Line {
  seq: number;
  ts: string;
  kind: string;
  subject: string;
  data: Readonly<Record<string, unknown>>;
}

/**
 * Events as lines, from what they say themselves. Strings that a spreadsheet would run are preceded by an apostrophe;
 * numbers are left as they are. Bytes are quoted as bytes: as texts they would take most of the time of an export.
 */
export class CsvLines {
  #scratch = Buffer.alloc(0);

  /** @param page the recorded bytes, each line followed by a comma and a newline */
  of(page: Buffer): Buffer {
    const lines = JSON.parse(`[${page.toString('utf8', 0, page.length - ENDING.length)}]`) as Line[];
    const heads = lines.map(headOf);
    const around = heads.reduce((sum, head) => sum + head.length * MOST_BYTES + ROW_END.length, 0);
    const most = page.length * MOST_QUOTED + around;
    if (this.#scratch.length < most) this.#scratch = Buffer.allocUnsafe(most);
    const out = this.#scratch;
    let [at, start] = [0, 0];
    for (const head of heads) {
      const next = page.indexOf(NEWLINE, start) + 1;
      at += out.write(head, at);
      at = quote(page, start + DATA_START, page.lastIndexOf(DATA_END, next - 1), out, at);
      at += out.write(ROW_END, at);
      start = next;
    }
    return Buffer.from(out.subarray(0, at));
  }
}

/** All but the data, up to the quote before it: an object begins with a brace, so it is no formula, and has to be quoted. */
function headOf({ seq, ts, kind, subject, data }: Line): string {
  const verdict = data['verdict'] as { decision?: unknown; reason?: unknown } | undefined;
  const by = (data['by'] ?? data['requestedBy']) as { who?: unknown } | null | undefined;
  const model = `${cell(data['modelId'])},${cell(data['fromGate'])},${cell(data['toGate'] ?? data['gate'])}`;
  const said = `${cell(by?.who)},${cell(verdict?.decision ?? data['action'])},${cell(verdict?.reason ?? data['reason'])}`;
  return `${seq},${cell(ts)},${cell(kind)},${cell(subject)},${model},${said},"`;
}

/** Copies [start, end) of `from` with quotes doubled. @returns where it ended */
function quote(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  let next = at;
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    to[next++] = byte;
    if (byte === QUOTE) to[next++] = QUOTE;
  }
  return next;
}

/** A field; what is no string is nothing a spreadsheet could run. */
export function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return String(value);
  if (PLAIN.test(value)) return value;
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

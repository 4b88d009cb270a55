import { Readable } from 'node:stream';
import { LukhasError } from '../../errors.js';
import { splitLines } from '../ndjson.js';

/** One request as it stands in the file: its line, and the text of each column. */
export interface Row {
  line: number;
  /** Null: the line cannot be read; `problem` says why. */
  cells: Readonly<Record<string, string>> | null;
  problem?: string;
  /** Whether a comma in a number stands before its fraction, as columns are not separated by commas. */
  decimalComma: boolean;
}

/** As in observations: what is longer is no line. */
const LONGEST_LINE = 1024 * 1024;
/** Bytes that are looked at to tell CSV from NDJSON, and which sign separates the columns. */
const LOOKED_AT = 64 * 1024;

/**
 * The rows of a CSV with a header (RFC 4180; also with `;` or tabs, and with Excel's line `sep=;` before it), or of NDJSON:
 * what begins with a brace. In bounded memory.
 * @param name of the file, in messages
 * @throws LukhasError USAGE for a file that cannot be read, or that is neither
 */
export async function* readRows(input: Readable, name: string): AsyncGenerator<Row, void> {
  const { head, stream } = await peeked(input, name);
  if (/^\uFEFF?\s*\[/.test(head)) {
    stream.destroy();
    throw new LukhasError('USAGE', `${name}: is a JSON array; NDJSON has one object a line`, {
      suggestions: ["Convert it: jq -c '.[]' FILE > requests.ndjson"],
    });
  }
  if (/^\uFEFF?\s*\{/.test(head)) yield* jsonRows(stream, name);
  else yield* csvRows(stream, name, separator(head));
}

async function peeked(input: Readable, name: string): Promise<{ head: string; stream: Readable }> {
  const chunks = (input[Symbol.asyncIterator] as () => AsyncIterator<Buffer | string>).call(input);
  const first: Buffer[] = [];
  let [size, ended] = [0, false];
  const read = async (): Promise<void> => {
    const next = await chunks.next().catch((cause: NodeJS.ErrnoException) => {
      const why = { ENOENT: 'file not found', EISDIR: 'is a folder, not a file' }[cause.code ?? ''];
      throw new LukhasError('USAGE', `${name}: ${why ?? `cannot be read (${cause.code ?? cause.message})`}`, { cause });
    });
    if (next.done) ended = true;
    else {
      first.push(Buffer.from(next.value));
      size += next.value.length;
    }
  };
  while (!ended && size < LOOKED_AT && !first.at(-1)?.includes(10)) await read();
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield* first;
    for (let next = ended ? null : await chunks.next(); next !== null && !next.done; next = await chunks.next())
      yield Buffer.from(next.value);
  };
  return { head: Buffer.concat(first).subarray(0, LOOKED_AT).toString(), stream: Readable.from(rest()) };
}

interface Separated {
  delimiter: string;
  /** Whether the first line names the delimiter, as Excel reads and writes it. */
  named: boolean;
}

function separator(head: string): Separated {
  // What is not UTF-8 has a zero in each letter, as far as it is looked at here.
  const [first = ''] = head.replaceAll('\0', '').split(/\r?\n/, 1);
  const [, named] = /^[^\w]*"?sep=([,;\t])"?$/.exec(first) ?? [];
  if (named !== undefined) return { delimiter: named, named: true };
  const delimiter = [',', ';', '\t'].sort((a, b) => first.split(b).length - first.split(a).length)[0]!;
  return { delimiter, named: false };
}

const CSV_MISTAKES: Readonly<Record<string, string>> = {
  CSV_MAX_RECORD_SIZE: 'a row is longer than 1 MiB: is a quote left open?',
  CSV_QUOTE_NOT_CLOSED: 'a quote is left open',
  CSV_INVALID_CLOSING_QUOTE: 'a quote within a quoted cell: write it twice ("")',
  INVALID_OPENING_QUOTE: 'a quote within a cell: put the cell in quotes, and write the quote twice ("")',
};

interface CsvRecord {
  record: string[];
  info: { lines: number };
}

async function* csvRows(stream: Readable, name: string, { delimiter, named }: Separated): AsyncGenerator<Row, void> {
  const { parse } = await import('csv-parse');
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    from_line: named ? 2 : 1,
    relax_column_count: true,
    skip_empty_lines: true,
    // A quote that is never closed would take the rest of the file for one row.
    max_record_size: LONGEST_LINE,
  });
  stream.on('error', (error) => parser.destroy(error)).pipe(parser);
  let header: string[] | null = null;
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
      if (header === null) header = headerOf(record, name);
      else yield { ...csvRow(header, record, info.lines), decimalComma: delimiter !== ',' };
    }
  } catch (cause) {
    const { code = '', lines, message } = cause as { code?: string; lines?: number; message: string };
    if (!code.startsWith('CSV_') && CSV_MISTAKES[code] === undefined) throw cause;
    // Where quotes are wrong nobody knows where the next row begins: such a row cannot be left out.
    const why = CSV_MISTAKES[code] ?? message;
    throw new LukhasError('USAGE', `${name}:${lines ?? 0}: not valid CSV: ${why}`, { cause });
  } finally {
    stream.destroy();
  }
}

function headerOf(record: readonly string[], name: string): string[] {
  const header = record.map((cell) => cell.trim());
  const twice = header.find((cell, i) => cell !== '' && header.indexOf(cell) !== i);
  if (twice !== undefined)
    throw new LukhasError('USAGE', `${name}:1: the column ${JSON.stringify(twice)} is there twice`);
  return header;
}

function csvRow(header: readonly string[], record: readonly string[], line: number): Omit<Row, 'decimalComma'> {
  if (record.length !== header.length)
    return { line, cells: null, problem: `${record.length} columns, the header has ${header.length}` };
  const cells: Record<string, string> = Object.create(null);
  for (const [i, column] of header.entries()) cells[column] = record[i]!.trim();
  return { line, cells };
}

async function* jsonRows(stream: Readable, name: string): AsyncGenerator<Row, void> {
  for await (const { number, bytes } of splitLines(stream, name)) {
    const text = bytes.toString().replace(/^\uFEFF/, '');
    if (text.trim() === '') continue;
    yield { ...jsonRow(text, number), decimalComma: false };
  }
}

function jsonRow(text: string, line: number): Omit<Row, 'decimalComma'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { line, cells: null, problem: `not JSON (${(error as Error).message})` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { line, cells: null, problem: 'not a JSON object' };
  const cells: Record<string, string> = Object.create(null);
  for (const [key, cell] of Object.entries(value)) cells[key] = cell === null ? '' : String(cell);
  return { line, cells };
}

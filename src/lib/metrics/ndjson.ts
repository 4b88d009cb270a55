import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { LukhasError } from '../errors.js';
import type { ArmReading, Missing, Observation } from '../judge/index.js';
import { parseObservationInput } from './observation-schema.js';
import type { MetricSource, Reading, ReadRequest } from './source.js';

const MAX_LINE_BYTES = 1024 * 1024;
const LINE_FEED = 10;

const cursorSchema = z
  .object({
    line: z.int(),
    tick: z.int(),
    t: z.number(),
    /** `t` of the newest observation in which the candidate has counts. */
    counted: z.number().exactOptional(),
  })
  .nullable();
type Cursor = z.infer<typeof cursorSchema>;

interface Line {
  number: number;
  bytes: Buffer;
}

/**
 * Observations made elsewhere, one JSON object a line (docs/observations.md). The input sets pace and times: every
 * `read` gives its next observation. Continued from a cursor, lines read before are skipped, so a stream has to be
 * given again from its beginning.
 * @param options.input path, or `-` for standard input
 * @throws LukhasError OBSERVATION from `read` for a line that is no observation, or out of order
 */
export function openNdjson(options: { input: string; stdin?: Readable }): MetricSource {
  const { input } = options;
  const name = input === '-' ? 'stdin' : input;
  let lines: LineReader | null = null;
  return {
    descriptor: { kind: 'ndjson', input },
    pace: 'input',
    check: () => (input === '-' ? Promise.resolve() : checkFile(input)),
    async read(request) {
      lines ??= new LineReader(input === '-' ? (options.stdin ?? process.stdin) : createReadStream(input), name);
      return next(lines, name, request);
    },
    async close() {
      lines?.close();
    },
  };
}

async function checkFile(input: string): Promise<void> {
  try {
    await access(input, constants.R_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LukhasError('CONFIG', `observations: cannot read ${input} (${code})`, { cause });
  }
}

async function next(lines: LineReader, name: string, request: ReadRequest): Promise<Reading> {
  const previous = readCursor(request.cursor);
  for (;;) {
    const line = await lines.next(request.signal);
    if (line === null) return ended(previous, request);
    if (line.number <= (previous?.line ?? 0)) continue;
    const where = `${name}:${line.number}`;
    const text = decode(line.bytes, where);
    if (text.trim() !== '') return readingOf(text, where, line.number, previous);
  }
}

function readingOf(text: string, where: string, line: number, previous: Cursor): Reading {
  const input = parseObservationInput(text, where);
  const tick = input.tick ?? (previous?.tick ?? 0) + 1;
  if (previous !== null && tick <= previous.tick) {
    throw outOfOrder(where, `tick: expected more than ${previous.tick}, got ${tick}`);
  }
  if (previous !== null && input.t < previous.t) {
    throw outOfOrder(where, `t: ${input.t} is before the previous observation's, ${previous.t}`);
  }
  // What was missing in between may be made up for: only spans that were counted already may not be counted again.
  const counted = previous?.counted;
  if (counted !== undefined && input.from < counted) throw countedAgain(where, input.from, counted);
  const newest = hasCounts(input.canary) ? input.t : counted;
  const cursor: Cursor = { line, tick, t: input.t, ...(newest === undefined ? {} : { counted: newest }) };
  return { observation: { ...input, tick }, cursor };
}

function hasCounts({ errors, latency, score }: Observation['canary']): boolean {
  return [errors, latency, score].some((signal) => signal?.state === 'ok');
}

function countedAgain(where: string, from: number, counted: number): LukhasError {
  const what = `from is before the previous observation's t (${from} < ${counted})`;
  return new LukhasError('OBSERVATION', `${where}: ${what}: counts are increments, never totals since a start`, {
    suggestions: ["give each line what was counted since the line before, and that line's t as its from"],
  });
}

function outOfOrder(where: string, what: string): LukhasError {
  return new LukhasError('OBSERVATION', `${where}: ${what}`, { suggestions: ['sort the observations by time'] });
}

function ended(previous: Cursor, { at, withBaseline }: ReadRequest): Reading {
  const missing: Missing = { state: 'ended' };
  const arm: ArmReading = { errors: missing, latency: missing, score: missing };
  const t = previous?.t ?? at;
  const tick = (previous?.tick ?? 0) + 1;
  const observation = { v: 1 as const, tick, t, from: t, canary: arm, ...(withBaseline ? { baseline: arm } : {}) };
  return { observation, cursor: null, ended: true };
}

function readCursor(stored: unknown): Cursor {
  const cursor = cursorSchema.safeParse(stored ?? null);
  if (cursor.success) return cursor.data;
  throw new LukhasError('LEDGER_CORRUPT', 'the stored place in the observations cannot be read', {
    cause: cursor.error,
  });
}

function decode(bytes: Buffer, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LukhasError('OBSERVATION', `${where}: not UTF-8`, { cause });
  }
}

/** Lines of a stream, one at a time; a line awaited by an aborted `next` is not lost but given to the following one. */
class LineReader {
  private readonly lines: AsyncGenerator<Line, void>;
  private pending: Promise<IteratorResult<Line, void>> | null = null;

  constructor(
    private readonly stream: Readable,
    private readonly name: string,
  ) {
    // Whoever reads the lines gets the error; it may come before anybody does.
    stream.on('error', () => undefined);
    this.lines = splitLines(stream, name);
  }

  async next(signal?: AbortSignal): Promise<Line | null> {
    signal?.throwIfAborted();
    this.pending ??= this.lines.next();
    const result = await untilAborted(this.pending, signal).catch((error: unknown) => {
      throw this.explain(error, signal);
    });
    this.pending = null;
    return result.done ? null : result.value;
  }

  close(): void {
    // Nobody waits any more for the line that the closing cuts off.
    this.pending?.catch(() => undefined);
    this.stream.destroy();
  }

  private explain(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted || error instanceof LukhasError) return error;
    return new LukhasError('OBSERVATION', `${this.name}: cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort!);
  }
}

/** Lines of a stream, each of at most 1 MiB. @throws LukhasError OBSERVATION for a longer one */
export async function* splitLines(stream: Readable, name: string): AsyncGenerator<Line, void> {
  let number = 1;
  let parts: Buffer[] = [];
  let size = 0;
  const take = (part: Buffer) => {
    size += part.length;
    if (size > MAX_LINE_BYTES) throw new LukhasError('OBSERVATION', `${name}:${number}: line is longer than 1 MiB`);
    parts.push(part);
  };
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      take(bytes.subarray(start, end));
      yield { number, bytes: Buffer.concat(parts) };
      number += 1;
      [parts, size, start] = [[], 0, end + 1];
    }
    if (start < bytes.length) take(bytes.subarray(start));
  }
  if (size > 0) yield { number, bytes: Buffer.concat(parts) };
}

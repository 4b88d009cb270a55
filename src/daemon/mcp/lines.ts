import { once } from 'node:events';
import { Transform, type TransformCallback, type Writable } from 'node:stream';
import { classifyInboundRequest, type JSONRPCNotification, type JSONRPCRequest } from '@modelcontextprotocol/server';
import { visibleJson } from '../../lib/input/index.js';
import {
  type ErrorAnswer,
  errorAnswer,
  type Id,
  INTERNAL_ERROR,
  INVALID_REQUEST,
  isUnderstood,
  PARSE_ERROR,
  readableId,
  readMessage,
  refusedClaim,
  refusedParams,
} from './jsonrpc.js';
import { TopLevelId } from './top-level-id.js';

/** Longest line, bytes: the transport behind this ends the connection at longer ones. */
const LONGEST = 10 * 1024 * 1024;
/** Batches are not supported here: more messages than this are not answered one by one. */
const LARGEST_BATCH = 100;
const NO_BATCHES = 'Invalid Request: batches are not supported over stdio; send one message per line.';
const NEWLINE = 0x0a;
/** Not known to TypeScript yet; in Node.js since 21. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * JSON-RPC messages, one per line. Invalid lines are answered here, as over HTTP: the package's transport would only log them
 * and leave the client without an answer. No line ends the connection, and none takes more memory than the longest valid one.
 */
export class MessageLines extends Transform {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Of a line that is too long: its bytes are not kept. */
  #passing: TopLevelId | null = null;

  constructor(
    private readonly answers: Writable,
    private readonly onError: (error: unknown) => void,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#take(chunk).then(
      () => done(),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #take(chunk: Buffer): Promise<void> {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end + 1));
      from = end + 1;
      const { pass, answer } = this.#endLine();
      if (pass !== undefined) this.push(pass);
      if (answer !== undefined && !this.answers.write(textOf(answer))) await once(this.answers, 'drain');
    }
    this.#keep(chunk.subarray(from));
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes <= LONGEST) {
      this.#pieces.push(piece);
      return;
    }
    this.#passing ??= new TopLevelId();
    for (const bytes of [...this.#pieces, piece]) this.#passing.take(bytes);
    this.#pieces = [];
  }

  #endLine(): Sorted {
    const tooLong = this.#passing;
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    this.#passing = null;
    if (tooLong !== null) return tooLongFor(readableId(tooLong.value));
    try {
      return sortLine(line);
    } catch (error) {
      this.onError(error);
      return { answer: errorAnswer(null, INTERNAL_ERROR, "Internal error; see the daemon's standard error.") };
    }
  }
}

/** The line of a message to pass on, or the answer to an invalid one. */
interface Sorted {
  pass?: string;
  answer?: ErrorAnswer | ErrorAnswer[];
}

/** Gives neither for lines without an answer: empty lines, and responses to requests, which this server never sends. */
function sortLine(line: Buffer): Sorted {
  let body: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    if (text.trim() === '') return {};
    body = JSON.parse(text);
  } catch {
    return { answer: errorAnswer(null, PARSE_ERROR, 'Parse error: the line is not JSON in UTF-8.') };
  }
  if (!Array.isArray(body)) return sortMessage(body);
  if (body.length === 0)
    return { answer: errorAnswer(null, INVALID_REQUEST, 'Invalid Request: a batch needs at least one message.') };
  if (body.length > LARGEST_BATCH) return { answer: errorAnswer(null, INVALID_REQUEST, NO_BATCHES) };
  const answer = body.flatMap((one) => refusalOf(one));
  return answer.length === 0 ? {} : { answer };
}

function sortMessage(body: unknown): Sorted {
  const read = readMessage(body);
  if (read.kind === 'invalid') return { answer: read.answer };
  if (read.kind === 'response') return {};
  // Notifications have no answer: one that is not understood is dropped, as over HTTP.
  if (read.kind === 'notification') return isUnderstood(read.message) ? passed(read.message, null) : {};
  const { kind } = classifyInboundRequest({ httpMethod: 'POST', body: read.message });
  const refused = { legacy: refusedParams, modern: refusedClaim, reject: () => null }[kind];
  const answer = refused(read.message);
  return answer === null ? passed(read.message, read.message.id) : { answer };
}

/** Written anew, a number can be longer than it came: `1e20`. */
function passed(message: JSONRPCRequest | JSONRPCNotification, id: Id): Sorted {
  const pass = textOf(message);
  return Buffer.byteLength(pass) > LONGEST ? tooLongFor(id) : { pass };
}

function tooLongFor(id: Id): Sorted {
  return { answer: errorAnswer(id, INVALID_REQUEST, `Invalid Request: the line is longer than ${LONGEST} bytes.`) };
}

/** A number beyond the range of a double stays one: null in its place would mean an argument that was left out. */
function textOf(message: object): string {
  const text = JSON.stringify(message, (_, value: unknown) => {
    if (value === Number.POSITIVE_INFINITY) return rawJSON('1e400');
    return value === Number.NEGATIVE_INFINITY ? rawJSON('-1e400') : value;
  });
  return `${visibleJson(text)}\n`;
}

function refusalOf(body: unknown): ErrorAnswer[] {
  const read = readMessage(body);
  if (read.kind === 'invalid') return [read.answer];
  if (read.kind !== 'request') return [];
  return [errorAnswer(read.message.id, INVALID_REQUEST, NO_BATCHES)];
}

import { once } from 'node:events';
import { Transform, type TransformCallback, type Writable } from 'node:stream';
import { classifyInboundRequest, type JSONRPCNotification, type JSONRPCRequest } from '@modelcontextprotocol/server';
import { visibleJson } from '../../lib/input/index.js';
import { type ErrorAnswer, errorAnswer, INVALID_REQUEST, PARSE_ERROR, readMessage, refusedParams } from './jsonrpc.js';

/** Longest line, bytes: the transport behind this ends the connection at longer ones. */
const LONGEST = 10 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * JSON-RPC messages, one per line. Invalid lines are answered here, as over HTTP: the package's transport would only log them
 * and leave the client without an answer.
 */
export class MessageLines extends Transform {
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly answers: Writable) {
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
      this.#pieces.push(chunk.subarray(from, end + 1));
      from = end + 1;
      const line = Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#bytes = 0;
      const { pass, answer } = sortLine(line);
      if (pass !== undefined) this.push(textOf(pass));
      if (answer !== undefined && !this.answers.write(textOf(answer))) await once(this.answers, 'drain');
    }
    this.#pieces.push(chunk.subarray(from));
    this.#bytes += chunk.length - from;
    if (this.#bytes <= LONGEST) return;
    for (const piece of this.#pieces) this.push(piece);
    this.#pieces = [];
  }
}

/** A message to pass on, or the answer to an invalid one. */
interface Sorted {
  pass?: JSONRPCRequest | JSONRPCNotification;
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
  const answer = body.flatMap((one) => refusalOf(one));
  return answer.length === 0 ? {} : { answer };
}

function sortMessage(body: unknown): Sorted {
  const read = readMessage(body);
  if (read.kind === 'invalid') return { answer: read.answer };
  if (read.kind === 'response') return {};
  if (read.kind === 'notification') return { pass: read.message };
  const legacy = classifyInboundRequest({ httpMethod: 'POST', body: read.message }).kind === 'legacy';
  const answer = legacy ? refusedParams(read.message) : null;
  return answer === null ? { pass: read.message } : { answer };
}

function textOf(message: object): string {
  return `${visibleJson(JSON.stringify(message))}\n`;
}

function refusalOf(body: unknown): ErrorAnswer[] {
  const read = readMessage(body);
  if (read.kind === 'invalid') return [read.answer];
  if (read.kind !== 'request') return [];
  return [
    errorAnswer(
      read.message.id,
      INVALID_REQUEST,
      'Invalid Request: batches are not supported over stdio; send one message per line.',
    ),
  ];
}

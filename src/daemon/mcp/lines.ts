import { once } from 'node:events';
import { Transform, type TransformCallback, type Writable } from 'node:stream';
import { classifyInboundRequest, type JSONRPCNotification, type JSONRPCRequest } from '@modelcontextprotocol/server';
import { type ErrorAnswer, errorAnswer, INVALID_REQUEST, PARSE_ERROR, readMessage, refusedParams } from './jsonrpc.js';

/** Bytes of the longest line; the transport behind allows no more, and ends the connection. */
const LONGEST = 10 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Messages of JSON-RPC, one a line. What is none is answered here, as over HTTP: the package's transport would tell its
 * own side at length and the client nothing.
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
      const { pass, answer } = judge(line);
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

interface Judgement {
  pass?: JSONRPCRequest | JSONRPCNotification;
  answer?: ErrorAnswer | ErrorAnswer[];
}

/** Neither for what wants no answer: an empty line, and answers to requests, which this server never sends. */
function judge(line: Buffer): Judgement {
  let body: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line);
    if (text.trim() === '') return {};
    body = JSON.parse(text);
  } catch {
    return { answer: errorAnswer(null, PARSE_ERROR, 'Parse error: the line is not JSON in UTF-8.') };
  }
  if (!Array.isArray(body)) return judgeMessage(body);
  if (body.length === 0)
    return { answer: errorAnswer(null, INVALID_REQUEST, 'Invalid Request: a batch holds at least one message.') };
  const answer = body.flatMap((one) => refusalOf(one));
  return answer.length === 0 ? {} : { answer };
}

function judgeMessage(body: unknown): Judgement {
  const read = readMessage(body);
  if (read.kind === 'invalid') return { answer: read.answer };
  if (read.kind === 'response') return {};
  if (read.kind === 'notification') return { pass: read.message };
  const legacy = classifyInboundRequest({ httpMethod: 'POST', body: read.message }).kind === 'legacy';
  const answer = legacy ? refusedParams(read.message) : null;
  return answer === null ? { pass: read.message } : { answer };
}

function textOf(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

function refusalOf(body: unknown): ErrorAnswer[] {
  const read = readMessage(body);
  if (read.kind === 'invalid') return [read.answer];
  if (read.kind !== 'request') return [];
  return [errorAnswer(read.message.id, INVALID_REQUEST, 'Invalid Request: no batches here; send one message a line.')];
}

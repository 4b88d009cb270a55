import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestQueue } from './request-queue.js';

interface Waiting {
  response: ServerResponse;
  begin(): void;
}

const NOTHING = Buffer.alloc(0);
const END_OF_HEAD = '\r\n\r\n';
/** Most bytes that are parsed at once where the end of a head is not in sight, and of a body whose length is not known. */
const PIECE = { head: 4096, body: 1024 };

/**
 * The requests of one connection, answered one after the other. Node.js parses all that a client has sent, which can be 1,700
 * requests from one read, and begins all of them at once, also when the client has left. Here the next request is parsed when
 * the one before is answered and the kernel has accepted the answer; until then the connection is not read any further. So what a
 * client can have waiting is bounded, in requests, in bytes, and in answers that it does not read.
 */
export class Pipeline {
  readonly #socket: Socket;
  readonly #queue: RequestQueue;
  /** Node.js's own listeners: the one parses, the other ends the connection. */
  readonly #parse: (bytes: Buffer) => void;
  readonly #end: () => void;
  /** Received, not parsed yet. */
  #held: Buffer = NOTHING;
  /** Parsed and not answered; the first one is in progress. */
  readonly #waiting: Waiting[] = [];
  /** The request that was parsed last. */
  #newest: IncomingMessage | null = null;
  /** Bytes of its body that are still to come, where its length is known. */
  #bodyLeft = 0;
  /** The client has closed its sending side. */
  #hasEnded = false;
  /** The answer in progress has no end. */
  #isStream = false;
  /** The client has sent more before its last request was answered. */
  #isBehind = false;

  /** @returns null where Node.js does not parse as expected: its requests are then begun as they come */
  static of(socket: Socket, queue: RequestQueue): Pipeline | null {
    const [parse, ...others] = socket.listeners('data');
    // The first one is that of the socket itself.
    const [, end, ...more] = socket.listeners('end');
    if (parse === undefined || end === undefined || others.length + more.length > 0) return null;
    return new Pipeline(socket, queue, parse as (bytes: Buffer) => void, end as () => void);
  }

  private constructor(socket: Socket, queue: RequestQueue, parse: (bytes: Buffer) => void, end: () => void) {
    this.#socket = socket;
    this.#queue = queue;
    this.#parse = parse;
    this.#end = end;
    socket.off('data', parse).off('end', end);
    socket.once('end', () => {
      this.#hasEnded = true;
      this.#feed();
    });
    socket.on('data', (bytes: Buffer) => {
      this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
      this.#feed();
    });
    socket.on('drain', () => this.#feed());
    // Node.js resumes reading whenever a body is read.
    socket.on('resume', () => {
      if (this.#isBehind && !this.#wantsMore()) socket.pause();
    });
    socket.once('close', () => {
      this.#held = NOTHING;
      this.#waiting.length = 0;
    });
  }

  /** Whether a request is not answered yet. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * @param begin called when it is this request's turn, and not at all when its client has left by then
   * @param isUrgent needs no turn when it is the first on its connection
   */
  add(request: IncomingMessage, response: ServerResponse, begin: () => void, isUrgent: boolean): void {
    this.#newest = request;
    this.#bodyLeft = Number(request.headers['content-length'] ?? 0);
    this.#waiting.push({ response, begin });
    if (this.#waiting.length > 1) return;
    if (isUrgent && !this.#isBehind) process.nextTick(() => this.#begin());
    else this.#schedule();
  }

  /** The answer in progress is one without an end: the connection ends when the client sends more, which could never be answered. */
  stream(): void {
    this.#isStream = true;
    this.#feed();
  }

  #schedule(): void {
    this.#queue.add(() => this.#begin(), this.#isBehind ? 'behind' : 'fresh');
  }

  #begin(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#socket.destroyed) return;
    first.response.once('close', () => {
      this.#waiting.shift();
      if (this.#waiting.length > 0) this.#schedule();
      else this.#feed();
    });
    first.begin();
  }

  #feed(): void {
    while (this.#held.length > 0 && this.#canParse()) {
      const piece = this.#held.subarray(0, this.#pieceLength());
      this.#held = this.#held.subarray(piece.length);
      this.#bodyLeft = Math.max(0, this.#bodyLeft - (this.#isInBody() ? piece.length : 0));
      this.#parse(piece);
    }
    // An empty part of a buffer would keep all of it.
    if (this.#held.length === 0) this.#held = NOTHING;
    // A client that has sent several requests gets all answers first. Of one that has sent no more, it means that it has left.
    if (this.#hasEnded && this.#held.length === 0 && (!this.#isBehind || this.#waiting.length === 0)) {
      this.#hasEnded = false;
      this.#end();
    }
    if (this.#isStream && this.#held.length > 0) this.#socket.destroy();
    if (this.#socket.destroyed || this.#socket.writableEnded) this.#held = NOTHING;
    else if (this.#held.length > 0) {
      this.#isBehind = true;
      this.#socket.pause();
    } else if (this.#isBehind && this.#wantsMore()) {
      this.#isBehind = false;
      this.#socket.resume();
    }
  }

  /** Not when the client does not read: Node.js would pause its parser then, and must not be given more. */
  #canParse(): boolean {
    const { destroyed, writableEnded, writableNeedDrain } = this.#socket;
    return !destroyed && !writableEnded && !writableNeedDrain && this.#isReady();
  }

  #isReady(): boolean {
    return this.#waiting.length === 0 || this.#isInBody();
  }

  #wantsMore(): boolean {
    return this.#held.length === 0 && this.#isReady();
  }

  #isInBody(): boolean {
    return this.#newest?.complete === false;
  }

  /** At most one head, except behind a body whose length is not known. */
  #pieceLength(): number {
    if (this.#isInBody()) return this.#bodyLeft > 0 ? this.#bodyLeft : PIECE.body;
    const end = this.#held.indexOf(END_OF_HEAD);
    return end >= 0 && end < PIECE.head ? end + END_OF_HEAD.length : PIECE.head;
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor } from '../../lib/ledger/index.js';
import { readBody } from './body.js';
import { type Load, SMALL_BODY } from './load.js';
import type { RequestQueue } from './request-queue.js';
import type { RequestContext } from './route.js';

/** What the requests of a server share. */
export interface Shared {
  load: Load;
  queue: RequestQueue;
  /** Longest body, bytes. */
  bodyLimit: number;
}

/** One request with its response, as its handler sees it. */
export class Exchange implements RequestContext {
  /** Path of its route; null before one is found. */
  route: string | null = null;
  charge: (requests: number) => void = () => undefined;
  #body: Promise<Buffer> | null = null;
  #gone: AbortController | null = null;
  /** Bytes of the body received, and how many of them are counted. */
  #received = 0;
  #counted = 0;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly url: URL,
    readonly actor: Actor,
    private readonly shared: Shared,
    /** The client waits to be told to send its body (RFC 9110, section 10.1.1). */
    private readonly expectsContinue: boolean,
  ) {}

  /** Created on first use: most handlers finish before a client could disconnect. */
  get signal(): AbortSignal {
    if (this.#gone === null) {
      const gone = new AbortController();
      this.#gone = gone;
      if (this.response.closed) gone.abort();
      else this.response.once('close', () => gone.abort());
    }
    return this.#gone.signal;
  }

  body(): Promise<Buffer> {
    if (this.#body === null) {
      this.#body = this.#readBody();
      // After the length was checked, so that a body that is too long is refused before it is sent.
      if (this.expectsContinue && this.request.listenerCount('data') > 0) this.response.writeContinue();
    }
    return this.#body;
  }

  turn(): Promise<void> {
    return this.shared.queue.next();
  }

  /** Parsing a large body takes a while, and several can arrive in the same moment. */
  async #readBody(): Promise<Buffer> {
    const bytes = await readBody(this.request, this.shared.bodyLimit, (more) => this.#keep(more));
    if (bytes.length > SMALL_BODY) await this.turn();
    return bytes;
  }

  /** Memory of a large body is taken until its request is answered. @throws HttpError 503 */
  #keep(bytes: number): void {
    this.#received += bytes;
    if (this.#received <= SMALL_BODY || this.response.closed) return;
    const more = this.#received - this.#counted;
    this.shared.load.keep(more);
    if (this.#counted === 0) this.response.once('close', () => this.shared.load.release(this.#counted));
    this.#counted += more;
  }

  /** The server stops. */
  abort(): void {
    this.#gone?.abort();
  }
}

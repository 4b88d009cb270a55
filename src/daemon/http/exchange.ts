import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor } from '../../lib/ledger/index.js';
import { readBody } from './body.js';
import type { RequestContext } from './route.js';

/** One request with its response, as its handler sees it. */
export class Exchange implements RequestContext {
  /** Path of its route; null before one is found. */
  route: string | null = null;
  charge: (requests: number) => void = () => undefined;
  #body: Promise<Buffer> | null = null;
  #gone: AbortController | null = null;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly url: URL,
    readonly actor: Actor,
    private readonly bodyLimit: number,
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
      this.#body = readBody(this.request, this.bodyLimit);
      // After the length was checked, so that a body that is too long is refused before it is sent.
      if (this.expectsContinue && this.request.listenerCount('data') > 0) this.response.writeContinue();
    }
    return this.#body;
  }

  /** The server stops. */
  abort(): void {
    this.#gone?.abort();
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor } from '../../lib/ledger/index.js';

/** What a route gets besides Node's request and response. Host, origin and key have been checked by then. */
export interface RequestContext {
  /** The caller: a key by its fingerprint, or the address of a client when there are no keys. */
  actor: Actor;
  url: URL;
  /** Aborted when the client disconnects or the server stops. */
  signal: AbortSignal;
  /** Reads the body, once. @throws HttpError 413 when it is longer than the server allows */
  body(): Promise<Buffer>;
  /** Counts more requests of this client, on a rate-limited route: for several messages in one request. */
  charge: (requests: number) => void;
}

export interface Route {
  /** HEAD is answered wherever GET is. */
  methods: readonly ('GET' | 'POST' | 'DELETE' | 'OPTIONS')[];
  /** Whole path; a request may have a slash at the end. */
  path: string;
  /** Needs no key. */
  open?: boolean;
  /** Counts against the rate limit of the client, where there is one. */
  limited?: boolean;
  handle(request: IncomingMessage, response: ServerResponse, context: RequestContext): Promise<void> | void;
}

/** Answered as `{error: {code, message}}` with this status. */
export class HttpError extends Error {
  override readonly name = 'HttpError';

  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

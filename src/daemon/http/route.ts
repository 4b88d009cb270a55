import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor } from '../../lib/ledger/index.js';

/** What a route is given beside Node's request and response: everything at the edge has been checked by then. */
export interface RequestContext {
  /** Who asks: a key by its fingerprint, or a client of a daemon without keys. */
  actor: Actor;
  url: URL;
  /** Aborted when the client has gone or the server stops. */
  signal: AbortSignal;
  /** Reads the body, once. @throws HttpError 413 when it is longer than the server allows */
  body(): Promise<Buffer>;
  /** Counts so many more requests of this client, on a route that is limited: several came in one. */
  charge: (requests: number) => void;
}

export interface Route {
  /** HEAD is answered wherever GET is. */
  methods: readonly ('GET' | 'POST' | 'DELETE' | 'OPTIONS')[];
  /** Whole path, compared exactly. */
  path: string;
  /** Answered without a key: for probes only. */
  open?: boolean;
  /** Counts against the limit of requests a client, where there is one. */
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

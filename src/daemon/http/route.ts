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
  /** Resolves when it is the turn of the next part of the work: other clients come in between. */
  turn(): Promise<void>;
  /**
   * Counts more requests of this client, for several messages in one request: as in progress and, on a rate-limited route, as sent.
   * @throws HttpError 429, 503 when too many would be in progress
   */
  charge: (requests: number) => void;
}

export interface Route {
  /** HEAD is answered wherever GET is. */
  methods: readonly ('GET' | 'POST' | 'DELETE' | 'OPTIONS')[];
  /** Whole path; a request may have a slash at the end. */
  path: string;
  /** Needs no key. */
  open?: boolean;
  /** Answers any page of any site in the same way: there is nothing in it to protect. */
  anySite?: boolean;
  /** An HTML page that changes nothing when it is loaded: links of other sites may lead to it. */
  page?: boolean;
  /** A cheap check that always gets through, however much is in progress. */
  probe?: boolean;
  /** Its answers can last for hours. They are not counted as requests in progress, so it has a limit of its own. */
  stream?: boolean;
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

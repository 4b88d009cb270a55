import { setMaxListeners } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  classifyInboundRequest,
  createMcpHandler,
  isJsonContentType,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type McpHttpHandler,
  type McpServer,
  ProtocolError,
  type Server,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import { visibleJson } from '../../lib/input/index.js';
import type { Actor } from '../../lib/ledger/index.js';
import type { RequestContext, Route } from '../http/index.js';
import { type Answer, exchange } from './exchange.js';
import { acceptsStream, header, refusedVersion, standardHeaders } from './headers.js';
import {
  type ErrorAnswer,
  errorAnswer,
  INVALID_REQUEST,
  PARSE_ERROR,
  readMessage,
  refusedClaim,
  refusedParams,
  SERVER_ERROR,
} from './jsonrpc.js';
import { MODERN_VERSIONS } from './versions.js';
import { webRequest, writeWeb } from './web.js';

/** What a server instance is created for: one exchange over HTTP, or one connection over stdio. */
export interface NewServerContext {
  /** `modern`: 2026-07-28 and later, where requests are self-contained; `legacy`: 2024-11-05 to 2025-11-25, with `initialize`. */
  era: 'legacy' | 'modern';
  actor: Actor;
  /** Origin that the client addressed, `http://127.0.0.1:8766`; left out over stdio. */
  origin?: string | undefined;
}

export type NewServer = (context: NewServerContext) => McpServer | Server;

export interface McpEndpointOptions {
  /** Creates a new server for each request: nothing is kept between requests. */
  newServer: NewServer;
  path?: string;
  /** Where changes for `subscriptions/listen` come from. */
  updates?: ServerEventBus;
  /** Errors that the client does not see, or not in full. */
  onError?: (error: Error) => void;
}

export interface McpEndpoint {
  route: Route;
  /** Ends the subscription streams, and tells their clients. */
  close(): Promise<void>;
}

const JSON_TYPE = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
const STREAM_TYPE = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
};
/** Batches came with 2025-03-26 and went with 2025-06-18; a request that names no version is of 2025-03-26. */
const BATCH_VERSIONS: readonly (string | undefined)[] = [undefined, '2024-11-05', '2025-03-26'];
const LARGEST_BATCH = 100;

/**
 * MCP over HTTP (Streamable HTTP without sessions) for every published version of the protocol at one address. A POST is
 * answered with one JSON document, whatever the client accepts; with a stream of events only when there is progress to
 * report before the answer and the client accepts `text/event-stream`.
 */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const endpoint = new Endpoint(options);
  return {
    route: {
      methods: ['GET', 'POST', 'DELETE', 'OPTIONS'],
      path: options.path ?? '/mcp',
      limited: true,
      handle: (request, response, context) => endpoint.handle(request, response, context),
    },
    close: () => endpoint.modern.close(),
  };
}

class Endpoint {
  readonly modern: McpHttpHandler;
  private readonly newServer: NewServer;

  constructor({ newServer, updates, onError }: McpEndpointOptions) {
    this.newServer = newServer;
    this.modern = createMcpHandler(
      ({ authInfo }) =>
        newServer({ era: 'modern', ...(authInfo?.extra as Pick<NewServerContext, 'actor' | 'origin'>) }),
      {
        legacy: 'reject',
        ...(updates === undefined ? {} : { bus: updates }),
        onerror: (error) => {
          // The client's mistakes are reported to the client.
          if (error instanceof ProtocolError || /^Rejected inbound/.test(error.message)) return;
          onError?.(error);
        },
      },
    );
  }

  async handle(request: IncomingMessage, response: ServerResponse, context: RequestContext): Promise<void> {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { Allow: 'POST, OPTIONS' }).end();
      return;
    }
    if (request.method !== 'POST') {
      // There is no stream to GET, and no session to DELETE.
      answer(response, 405, errorAnswer(null, SERVER_ERROR, 'Method not allowed: send a JSON-RPC message with POST.'), {
        Allow: 'POST, OPTIONS',
      });
      return;
    }
    if (!isJsonContentType(request.headers['content-type'] ?? null)) {
      const error = errorAnswer(null, SERVER_ERROR, 'Unsupported media type: send Content-Type: application/json.');
      answer(response, 415, error);
      return;
    }
    let body: unknown;
    try {
      body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await context.body()));
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
      answer(response, 400, errorAnswer(null, PARSE_ERROR, 'Parse error: the body is not JSON in UTF-8.'));
      return;
    }
    if (Array.isArray(body)) await this.batch(body, request, response, context);
    else await this.single(body, request, response, context);
  }

  private async single(
    body: unknown,
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
  ): Promise<void> {
    const read = readMessage(body);
    if (read.kind === 'invalid') return answer(response, 400, read.answer);
    const unsupported = refusedVersion(request, read);
    if (unsupported !== null) return answer(response, 400, unsupported);
    if (read.kind === 'response') return accepted(response);
    const { message } = read;
    const id = read.kind === 'request' ? read.message.id : null;
    const outcome = classifyInboundRequest({ httpMethod: 'POST', ...standardHeaders(request, read), body: message });
    if (outcome.kind === 'reject')
      return answer(response, outcome.httpStatus, errorAnswer(id, outcome.code, outcome.message, outcome.data));
    const claim =
      outcome.kind === 'modern' && read.kind === 'request' ? refusedClaim(read.message, MODERN_VERSIONS) : null;
    if (claim !== null) return answer(response, 400, claim);
    if (outcome.kind === 'modern') return this.modernMessage(message, request, response, context);
    if (read.kind === 'notification') return accepted(response);
    const refused = refusedParams(read.message);
    if (refused !== null) return answer(response, 200, refused);
    await this.legacyRequest(read.message, request, response, context);
  }

  private async modernMessage(
    message: JSONRPCRequest | JSONRPCNotification,
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
  ): Promise<void> {
    const authInfo = { token: '', clientId: context.actor.who, scopes: [], extra: { ...askedBy(context) } };
    const parsedBody = acceptsStream(request) ? message : withoutProgress(message);
    await writeWeb(
      await this.modern.fetch(webRequest(request, context), { parsedBody, authInfo }),
      response,
      context.signal,
    );
  }

  private async legacyRequest(
    message: JSONRPCRequest,
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
  ): Promise<void> {
    const streams = acceptsStream(request);
    const tell = (note: JSONRPCNotification) => {
      if (!streams || response.destroyed) return;
      if (!response.headersSent) response.writeHead(200, STREAM_TYPE);
      response.write(event(note));
    };
    const server = this.newServer({ era: 'legacy', ...askedBy(context) });
    const result = await exchange(server, message, context.signal, tell);
    if (result === null || response.destroyed) response.destroy();
    else if (response.headersSent) response.end(event(result));
    else answer(response, 200, result);
  }

  private async batch(
    bodies: readonly unknown[],
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
  ): Promise<void> {
    const unsupported = refusedVersion(request, null);
    if (unsupported !== null) return answer(response, 400, unsupported);
    const refused = refusedBatch(bodies, request);
    if (refused !== null) return answer(response, 400, errorAnswer(null, INVALID_REQUEST, refused));
    // The first message was counted with the request.
    context.charge(bodies.length - 1);
    const { signal } = context;
    // Each message of the batch adds a listener.
    setMaxListeners(0, signal);
    const answers: Promise<Answer | ErrorAnswer | null>[] = [];
    for (const body of bodies) {
      // All run at the same time, since some wait; but each is begun in its own turn, and none for a client that has left.
      if (answers.length > 0) await context.turn();
      if (signal.aborted) break;
      const answered = this.batched(body, context);
      // Its failure is handled below, when all have begun.
      answered.catch(() => undefined);
      answers.push(answered);
    }
    const given = (await Promise.all(answers)).filter((one) => one !== null);
    if (signal.aborted) response.destroy();
    else if (given.length === 0) accepted(response);
    else answer(response, 200, given);
  }

  private async batched(body: unknown, context: RequestContext): Promise<Answer | ErrorAnswer | null> {
    const read = readMessage(body);
    if (read.kind === 'invalid') return read.answer;
    if (read.kind !== 'request') return null;
    const { id, method } = read.message;
    const { kind } = classifyInboundRequest({ httpMethod: 'POST', body: read.message });
    if (method === 'initialize' || kind !== 'legacy')
      return errorAnswer(id, INVALID_REQUEST, `Invalid Request: ${method.slice(0, 80)} is not allowed in a batch.`);
    const refused = refusedParams(read.message);
    if (refused !== null) return refused;
    const server = this.newServer({ era: 'legacy', ...askedBy(context) });
    return exchange(server, read.message, context.signal, () => undefined);
  }
}

function askedBy({ actor, url }: RequestContext): { actor: Actor; origin: string } {
  return { actor, origin: url.origin };
}

function answer(
  response: ServerResponse,
  status: number,
  body: Answer | ErrorAnswer | readonly (Answer | ErrorAnswer)[],
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = visibleJson(JSON.stringify(body));
  response.writeHead(status, { ...JSON_TYPE, ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/** Notifications and responses get an empty answer. */
function accepted(response: ServerResponse): void {
  response.writeHead(202).end();
}

function event(message: Answer | JSONRPCNotification): string {
  return `event: message\ndata: ${visibleJson(JSON.stringify(message))}\n\n`;
}

/** Without a progress token nothing is sent before the answer, so the answer is one document. */
function withoutProgress<M extends JSONRPCRequest | JSONRPCNotification>(message: M): M {
  const meta = message.params?.['_meta'];
  if (typeof meta !== 'object' || meta === null || !('progressToken' in meta)) return message;
  const { progressToken: _, ...rest } = meta as Record<string, unknown>;
  return { ...message, params: { ...message.params, _meta: rest } };
}

function refusedBatch(bodies: readonly unknown[], request: IncomingMessage): string | null {
  const version = header(request, 'mcp-protocol-version');
  if (!BATCH_VERSIONS.includes(version))
    return `Invalid Request: MCP ${version?.slice(0, 80)} has no batches; send one message per request.`;
  if (bodies.length === 0) return 'Invalid Request: a batch needs at least one message.';
  if (bodies.some((body) => Array.isArray(body))) return 'Invalid Request: a batch must not contain batches.';
  return bodies.length > LARGEST_BATCH ? `Invalid Request: a batch can have at most ${LARGEST_BATCH} messages.` : null;
}

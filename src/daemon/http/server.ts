import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { asHttpError, sendError, sendErrorAndLinger, setSecurityHeaders } from './answer.js';
import { Exchange, type Shared } from './exchange.js';
import { ApiKeys, addressOf } from './keys.js';
import { addressToListenOn, hostPort, listen } from './listen.js';
import { Load, type LoadLimits } from './load.js';
import { checkOrigin, checkSite, preflight, setCorsHeaders } from './origin.js';
import { Pipeline } from './pipeline.js';
import type { RateLimiter } from './rate-limit.js';
import { RequestQueue } from './request-queue.js';
import type { HttpError, Route } from './route.js';
import { Router } from './router.js';
import type { Sessions } from './sessions.js';
import { Hosts, refuseKeyInUrl, targetOf } from './target.js';

export interface Answered {
  /** Path of the route; null when there is none. */
  route: string | null;
  method: string;
  status: number;
}

export interface HttpServerOptions {
  routes: readonly Route[];
  /** Name or address; only loopback without keys, unless every route is open. */
  host: string;
  /** 0: the system chooses. */
  port: number;
  apiKeys?: readonly string[];
  /** Of those who have signed in with a key. */
  sessions?: Sessions;
  /** Names that Host may have besides the loopback names, with or without a port. */
  allowedHosts?: readonly string[] | undefined;
  /** Origins whose pages may use this server besides its own, e.g. `https://ops.example.com`. */
  allowedOrigins?: readonly string[] | undefined;
  /** Longest body, bytes. */
  bodyLimit?: number;
  /** None when left out. */
  maxConnections?: number | undefined;
  /** For rate-limited routes. */
  limiter?: RateLimiter | undefined;
  /** Most requests in progress; the defaults are those of load.ts. */
  load?: Partial<LoadLimits>;
  /**
   * For the headers, for the whole request, between two checks for late requests, and for a client that reads nothing of an
   * answer, ms.
   */
  timeouts?: { headersMs: number; requestMs: number; checkMs: number; stalledMs?: number };
  /** Errors of a handler that the client did not cause. */
  onError(error: unknown): void;
  onAnswered?(answered: Answered): void;
}

export interface HttpServer {
  /** Without a slash at the end. */
  url: string;
  port: number;
  /** Connections that are open. */
  connections(): Promise<number>;
  /** Accepts no more than so many from now on, and closes idle ones that are too many. */
  limit(connections: number): Promise<void>;
  /** Accepts no new connections, waits this long for running requests, then ends the rest. */
  close(graceMs: number): Promise<void>;
}

const BODY_LIMIT = 1024 * 1024;
const TIMEOUTS = { headersMs: 2_000, requestMs: 5_000, checkMs: 500, stalledMs: 60_000 };
/** Longer than most proxies keep idle connections, so that a proxy never sends on one that we just closed. */
const KEEP_ALIVE_MS = 65_000;
const READ_AHEAD = 16 * 1024;
/** How long a refused body is read after the answer. */
const LINGER_MS = 2_000;
/** Time for handlers to answer after they were aborted. */
const LAST_ANSWERS_MS = 250;

/**
 * The daemon's server: checks every request, then passes it to its route.
 * @throws LukhasError LISTEN, CONFIG
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const keys = new ApiKeys(options.apiKeys ?? [], options.sessions);
  // When every route is open, there is nothing to protect with a key.
  const guarded = options.routes.some(({ open }) => open !== true);
  const address = await addressToListenOn(options.host, keys.required || !guarded);
  const timeouts = options.timeouts ?? TIMEOUTS;
  const server = createServer({
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    connectionsCheckingInterval: timeouts.checkMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    // What is read ahead of a connection that has to wait, and written ahead of one that does not read.
    highWaterMark: READ_AHEAD,
    // Checked by us instead, so that the error has the same format as all others.
    requireHostHeader: false,
  });
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  const requests = new Requests(options, keys, server);
  server.timeout = timeouts.stalledMs ?? TIMEOUTS.stalledMs;
  server.on('connection', (socket) => requests.connect(socket));
  server.on('timeout', (socket) => requests.onIdle(socket));
  server.on('request', (request, response) => requests.take(request, response, false));
  server.on('checkContinue', (request, response) => requests.take(request, response, true));
  const port = await listen(server, address, options.port);
  const connections = () => promisify(server.getConnections.bind(server))();
  return {
    url: `http://${hostPort(address, port)}`,
    port,
    connections,
    async limit(most) {
      server.maxConnections = most;
      if ((await connections()) > most) server.closeIdleConnections();
    },
    close: (graceMs) => requests.close(graceMs),
  };
}

class Requests {
  readonly #options: HttpServerOptions;
  readonly #keys: ApiKeys;
  readonly #server: Server;
  readonly #router: Router;
  readonly #hosts: Hosts;
  readonly #shared: Shared;
  readonly #pipelines = new WeakMap<Socket, Pipeline>();
  /** Those that have begun. */
  readonly #open = new Map<ServerResponse, Exchange | null>();
  #closing: Promise<void> | null = null;

  constructor(options: HttpServerOptions, keys: ApiKeys, server: Server) {
    this.#options = options;
    this.#keys = keys;
    this.#server = server;
    this.#router = new Router(options.routes);
    this.#hosts = new Hosts([...(options.allowedHosts ?? []), options.host]);
    const { load, bodyLimit = BODY_LIMIT } = options;
    this.#shared = { load: new Load(load), queue: new RequestQueue(), bodyLimit };
  }

  connect(socket: Socket): void {
    const pipeline = Pipeline.of(socket, this.#shared.queue);
    if (pipeline !== null) this.#pipelines.set(socket, pipeline);
  }

  /** Nothing was sent or received for a while: fine while a handler works or waits, but not when its client does not read. */
  onIdle(socket: Socket): void {
    const isWorking = this.#pipelines.get(socket)?.isBusy === true;
    if (socket.writableLength > 0) socket.resetAndDestroy();
    else if (!isWorking) socket.destroy();
  }

  take(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const begin = () => void this.#begin(request, response, expectsContinue);
    const pipeline = this.#pipelines.get(request.socket);
    if (pipeline === undefined) begin();
    else pipeline.add(request, response, begin, this.#router.isAll('probe', request.url?.split('?', 1)[0] ?? ''));
  }

  async #begin(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    this.#open.set(response, null);
    response.once('close', () => this.#closed(response));
    if (this.#closing !== null) response.shouldKeepAlive = false;
    setSecurityHeaders(response);
    try {
      const exchange = this.#admit(request, response, expectsContinue);
      if (exchange === null) return;
      this.#open.set(response, exchange);
      const route = this.#router.find(request.method ?? '', exchange.url.pathname);
      exchange.route = route.path;
      if (route.probe !== true && route.stream !== true) this.#count(exchange);
      if (route.limited) this.#limit(exchange);
      await route.handle(request, response, exchange);
      const isOpen = response.headersSent && !response.writableEnded;
      if (route.stream === true && isOpen) this.#pipelines.get(request.socket)?.stream();
    } catch (error) {
      this.#fail(response, error);
    }
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  /** @returns null when the request has been answered. @throws HttpError 400, 401, 403, 421 */
  #admit(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Exchange | null {
    const { allowedOrigins = [] } = this.#options;
    const url = targetOf(request);
    this.#hosts.check(url, request);
    const origin = checkOrigin(request, url, allowedOrigins);
    if (origin !== null) {
      setCorsHeaders(response, origin);
      if (preflight(request, response)) return null;
    }
    if (!this.#router.isAll('anySite', url.pathname))
      checkSite(request, url, allowedOrigins, this.#router.isAll('page', url.pathname));
    refuseKeyInUrl(url);
    const actor = this.#router.isAll('open', url.pathname)
      ? { who: addressOf(request), how: 'loopback' as const }
      : this.#keys.identify(request);
    return new Exchange(request, response, url, actor, this.#shared, expectsContinue);
  }

  /** A client is identified by its key or, without keys, by its address. @throws HttpError 429, 503 */
  #count(exchange: Exchange): void {
    const { load } = this.#shared;
    const { who } = exchange.actor;
    exchange.charge = (requests) => {
      load.begin(who, requests);
      exchange.response.once('close', () => load.end(who, requests));
    };
    exchange.charge(1);
  }

  /** @throws HttpError 429 */
  #limit(exchange: Exchange): void {
    const { limiter } = this.#options;
    if (limiter === undefined) return;
    const { charge, actor } = exchange;
    limiter.admit(actor.who);
    exchange.charge = (requests) => {
      charge(requests);
      limiter.charge(actor.who, requests);
    };
  }

  #fail(response: ServerResponse, error: unknown): void {
    const answer = asHttpError(error);
    // A handler that was interrupted because its client disconnected has not failed.
    const gone = response.destroyed || response.closed;
    if (answer.status === 500 && !gone) this.#options.onError(error);
    if (gone) return;
    // A started answer cannot be taken back; cutting it off shows that it is incomplete.
    if (response.headersSent) response.destroy();
    else if (isUnread(answer, response.req)) sendErrorAndLinger(response, answer, LINGER_MS);
    else sendError(response, answer);
  }

  #closed(response: ServerResponse): void {
    const exchange = this.#open.get(response);
    this.#open.delete(response);
    const { method = '' } = response.req;
    // Without headers, the client disconnected before any answer.
    if (response.headersSent)
      this.#options.onAnswered?.({ route: exchange?.route ?? null, method, status: response.statusCode });
    if (this.#closing !== null) setImmediate(() => this.#server.closeIdleConnections());
  }

  async #close(graceMs: number): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const response of this.#open.keys()) if (!response.headersSent) response.shouldKeepAlive = false;
    const timers = [
      setTimeout(() => {
        for (const exchange of this.#open.values()) exchange?.abort();
      }, graceMs),
      setTimeout(() => this.#server.closeAllConnections(), graceMs + LAST_ANSWERS_MS),
    ];
    await ended;
    for (const timer of timers) clearTimeout(timer);
  }
}

/** The client is still sending a body that will not be kept. */
function isUnread({ status }: HttpError, request: IncomingMessage): boolean {
  return status === 413 || (status === 503 && !request.complete);
}

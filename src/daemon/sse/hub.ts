import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, timestamp } from '../../lib/clock.js';
import type { FeedItem, LogFollower } from '../../lib/ledger/index.js';
import { FeedReader, FOLLOW_MS } from '../../lib/ledger/index.js';
import { eventId, type FeedSource, type Judging, newestItems } from '../../lib/stream/index.js';
import { HttpError, type RequestContext, type Route } from '../http/index.js';
import { CatchUp } from './catch-up.js';
import type { Tally } from './channel.js';
import { Client } from './client.js';
import { FanOut } from './fan-out.js';
import { eventText, Framer } from './frames.js';
import { parseStreamRequest, writeStreamHead } from './request.js';
import { Ring } from './ring.js';
import { type Start, startOf } from './start.js';

export interface SseLimits {
  /** Open streams; more are answered 503. */
  clients: number;
  /** Events that a client may be behind before it is dropped. */
  lag: number;
  /** The newest events, kept in memory for all clients together. */
  ringEvents: number;
  ringBytes: number;
  /** Most bytes in one write to a client. */
  writeBytes: number;
  heartbeatMs: number;
  /** Heartbeats for which a client may leave a write pending. */
  stalledBeats: number;
}

export const SSE_LIMITS: SseLimits = {
  clients: 12_000,
  lag: 4096,
  ringEvents: 16_384,
  ringBytes: 16 * 1024 * 1024,
  writeBytes: 64 * 1024,
  heartbeatMs: 15_000,
  stalledBeats: 4,
};

export interface SseStats {
  /** Open streams, and how many of them are catching up. */
  clients: number;
  catchingUp: number;
  /** Since the start: events sent to clients, streams opened, and streams resumed from an id. */
  sent: number;
  opened: number;
  resumed: number;
  /** Disconnected because they did not read; refused because there were too many. */
  dropped: number;
  refused: number;
  /** Reads of the log that failed and were retried. */
  errors: number;
  ringEvents: number;
  ringBytes: number;
}

export interface SseOptions {
  ledger: FeedSource;
  follower: LogFollower;
  clock: Clock;
  /** Says with each check how its canary stands then; only what happens while somebody listens is judged. */
  judging?: Judging;
  limits?: Partial<SseLimits>;
  /** Called for every read of the log that failed. */
  onError?(error: unknown): void;
}

const RETRY_MS = { least: 250, most: 1000 };
/** When stopping, clients that do not read are disconnected after this. */
const GOODBYE_MS = 1000;

/** Server-sent events of everything that is committed to the log. See docs/stream.md. */
export class SseHub {
  readonly route: Route;
  readonly #options: SseOptions;
  readonly #limits: SseLimits;
  readonly #framer: Framer;
  readonly #tally: Tally = { sent: 0, dropped: 0 };
  readonly #counts = { opened: 0, resumed: 0, refused: 0, errors: 0 };
  readonly #sockets = new Set<Socket>();
  #live: { ring: Ring; fanOut: FanOut; catchUp: CatchUp; reader: FeedReader } | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: SseOptions) {
    this.#options = options;
    this.#limits = { ...SSE_LIMITS, ...options.limits };
    this.#framer = new Framer(options.ledger);
    this.route = {
      methods: ['GET'],
      path: '/sse',
      stream: true,
      handle: (request, response, context) => this.#handle(request, response, context),
    };
  }

  /** Follows the log from its end. @throws LukhasError LEDGER_* */
  async start(): Promise<void> {
    const { ledger: source, follower } = this.#options;
    const { ringEvents, ringBytes, writeBytes } = this.#limits;
    const { start, items } = await newestItems(source, Math.floor(ringEvents / 8));
    const ring = new Ring(ringEvents, ringBytes, start);
    const fanOut = new FanOut(ring, this.#limits, this.#tally);
    const onError = (error: unknown): void => this.#failed(error);
    const onItems = async (page: readonly FeedItem[], judging?: Judging): Promise<void> => {
      const frames = await this.#framer.frames(page, judging);
      frames.forEach((frame, i) => {
        if (frame !== null) fanOut.publish(frame);
        else ring.passed((page[i] as FeedItem).position);
      });
    };
    await this.#framer.log();
    await onItems(items);
    const reader = new FeedReader({
      ledger: source,
      follower,
      from: ring.head,
      onItems: (page) => onItems(page, this.#sockets.size > 0 ? this.#options.judging : undefined),
      onError,
    });
    const catchUp = new CatchUp({
      source,
      framer: this.#framer,
      ring,
      tally: this.#tally,
      writeBytes,
      retryMs: FOLLOW_MS,
      follow: () => reader.catchUp(),
      join: (client) => fanOut.add(client),
      onError,
    });
    this.#live = { ring, fanOut, catchUp, reader };
    reader.start();
  }

  /** Tells every client to reconnect, and ends their streams. Resolves when all are closed. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  stats(): SseStats {
    const ring = this.#live?.ring;
    return {
      clients: this.#sockets.size,
      catchingUp: this.#live?.catchUp.size ?? 0,
      ...this.#tally,
      ...this.#counts,
      ringEvents: ring?.size ?? 0,
      ringBytes: ring?.bytes ?? 0,
    };
  }

  async #handle(request: IncomingMessage, response: ServerResponse, { url }: RequestContext): Promise<void> {
    const asked = parseStreamRequest(request, url);
    if (request.method === 'HEAD') {
      writeStreamHead(response);
      response.end();
      return;
    }
    const { socket } = request;
    this.#admit(socket);
    try {
      const { ring, reader } = this.#live!;
      const { ledger: source } = this.#options;
      const start = await startOf(asked, { source, framer: this.#framer, ring, reader });
      if (socket.destroyed) return;
      if (this.#stopped !== null) throw unavailable();
      this.#open(response, socket, start);
    } catch (error) {
      this.#sockets.delete(socket);
      throw error;
    }
  }

  /** @throws HttpError 503 */
  #admit(socket: Socket): void {
    if (this.#live === null || this.#stopped !== null) throw unavailable();
    if (this.#sockets.size >= this.#limits.clients) {
      this.#counts.refused++;
      const message = `too many streams: the limit is ${this.#limits.clients}; try again later`;
      throw new HttpError(503, message, { 'Retry-After': '5' });
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #open(response: ServerResponse, socket: Socket, { topics, position, log, resumed, known }: Start): void {
    const { fanOut, catchUp, ring } = this.#live!;
    const client = new Client(socket, topics, position);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.setTimeout(0);
    socket.once('close', () => {
      fanOut.remove(client);
      catchUp.remove(client);
      if (this.#sockets.size === 0) this.#stopHeartbeat();
    });
    this.#counts.opened++;
    if (resumed === true) this.#counts.resumed++;
    const id = eventId(position, log);
    const data = { ts: timestamp(this.#options.clock.now()), topics, position: id, resumed, known };
    socket.cork();
    writeStreamHead(response);
    client.write(`retry: ${retryMs()}\n${eventText(id, 'open', data)}`);
    socket.uncork();
    this.#startHeartbeat();
    if (position === ring.head) fanOut.add(client);
    else catchUp.add(client);
  }

  #startHeartbeat(): void {
    this.#heartbeat ??= setInterval(() => {
      const { fanOut, catchUp } = this.#live!;
      fanOut.heartbeat();
      for (const client of catchUp.clients()) {
        if (!client.waiting || ++client.stalled <= this.#limits.stalledBeats) continue;
        this.#tally.dropped++;
        client.drop();
      }
    }, this.#limits.heartbeatMs);
  }

  #stopHeartbeat(): void {
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#heartbeat = null;
  }

  async #stop(): Promise<void> {
    this.#stopHeartbeat();
    const live = this.#live;
    if (live === null) return;
    live.catchUp.stop();
    live.fanOut.stop();
    await live.reader.stop();
    const clients = [...live.fanOut.clients(), ...live.catchUp.clients()];
    const closed = clients.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve)));
    for (const client of clients) {
      if (client.waiting) client.drop();
      else client.socket.end(`: server stopping, please reconnect\nretry: ${retryMs()}\n\n`);
    }
    const timer = setTimeout(() => {
      for (const client of clients) client.drop();
    }, GOODBYE_MS);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #failed(error: unknown): void {
    this.#counts.errors++;
    this.#options.onError?.(error);
  }
}

/** Random, so that clients do not all reconnect at the same moment. */
function retryMs(): number {
  return RETRY_MS.least + Math.floor(Math.random() * (RETRY_MS.most - RETRY_MS.least + 1));
}

function unavailable(): HttpError {
  return new HttpError(503, 'the server is starting or stopping; try again', { 'Retry-After': '1' });
}

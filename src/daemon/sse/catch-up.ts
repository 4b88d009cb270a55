import { setImmediate as nextTurn } from 'node:timers/promises';
import { LukhasError } from '../../lib/errors.js';
import { endOf, type FeedSource, reaches } from '../../lib/stream/index.js';
import type { Tally } from './channel.js';
import type { Client } from './client.js';
import type { Frame, Framer } from './frames.js';
import type { Ring } from './ring.js';
import { onlySubject } from './topics.js';

/** Read and sent within some milliseconds, also where other programs use the cores. */
const PAGE = 64;
/** Clients served from memory before yielding to the event loop; a read of the database always yields. */
const SLICE = 32;

export interface CatchUpOptions {
  source: FeedSource;
  framer: Framer;
  ring: Ring;
  tally: Tally;
  writeBytes: number;
  /** Pause after a failed read of the database, ms. */
  retryMs: number;
  /** Reads into the ring what has been committed by now. */
  follow(): Promise<void>;
  /** Called with a client that has everything up to the ring's head. */
  join(client: Client): void;
  onError(error: unknown): void;
}

/**
 * Sends clients what came before they are live: from the ring where it reaches back that far, else from the database, as fast
 * as they read.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #clients = new Set<Client>();
  readonly #ready = new Set<Client>();
  #running = false;
  #stopped = false;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  clients(): Iterable<Client> {
    return this.#clients;
  }

  /** Starts sending from `client.position`. */
  add(client: Client): void {
    this.#clients.add(client);
    client.onFree(() => this.#serve(client));
    this.#serve(client);
  }

  remove(client: Client): void {
    this.#clients.delete(client);
    this.#ready.delete(client);
  }

  stop(): void {
    this.#stopped = true;
  }

  #serve(client: Client): void {
    if (!this.#clients.has(client)) return;
    this.#ready.add(client);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let turn = 0; !this.#stopped; turn++) {
      const [client] = this.#ready;
      if (client === undefined) break;
      this.#ready.delete(client);
      const fromMemory = this.#options.ring.holds(client.position);
      await this.#step(client);
      if (!fromMemory || turn % SLICE === 0) await nextTurn();
    }
    this.#running = false;
  }

  async #step(client: Client): Promise<void> {
    if (client.gone) return;
    try {
      if (this.#options.ring.holds(client.position)) this.#fromRing(client);
      else await this.#fromDatabase(client);
    } catch (error) {
      // The client keeps its position and loses nothing.
      this.#options.onError(error);
      this.#later(client);
      return;
    }
    if (this.#clients.has(client) && !client.waiting) this.#ready.add(client);
  }

  #later(client: Client): void {
    setTimeout(() => this.#serve(client), this.#options.retryMs).unref();
  }

  #fromRing(client: Client): void {
    const { ring, writeBytes, join } = this.#options;
    const frames: Frame[] = [];
    let bytes = 0;
    let number = ring.after(client.position);
    for (; number < ring.next && bytes < writeBytes; number++) {
      const frame = ring.at(number) as Frame;
      client.position = frame.position;
      if (!concerns(frame, client)) continue;
      frames.push(frame);
      bytes += frame.bytes.length;
    }
    this.#send(client, frames);
    if (number < ring.next || client.waiting) return;
    this.remove(client);
    join(client);
  }

  async #fromDatabase(client: Client): Promise<void> {
    const { source, framer, ring, follow } = this.#options;
    const { head } = ring;
    // The client has read further than the ring was filled.
    if (reaches(client.position, head)) {
      await follow();
      if (ring.holds(client.position)) return;
      throw new LukhasError('LEDGER_BUSY', 'event stream: waiting until the log can be read again');
    }
    // `head` was read first, so the query below sees everything before it.
    if (await this.#isOver(client)) {
      client.position = head;
      return;
    }
    const items = await source.feed(client.position, PAGE);
    const frames = await framer.frames(items);
    this.#send(
      client,
      frames.flatMap((frame) => (frame !== null && concerns(frame, client) ? [frame] : [])),
    );
    // An empty page: everything up to `head` has been pruned.
    client.position = items.at(-1)?.position ?? head;
  }

  /** Whether the client follows a single canary or job, and has received all of it. */
  async #isOver({ topics, position }: Client): Promise<boolean> {
    const subject = onlySubject(topics);
    if (subject === null) return false;
    const end = await endOf(this.#options.source, subject);
    return end !== null && position.seq >= end;
  }

  #send(client: Client, frames: readonly Frame[]): void {
    if (frames.length === 0 || client.gone) return;
    client.write(Buffer.concat(frames.map(({ bytes }) => bytes)));
    this.#options.tally.sent += frames.length;
  }
}

function concerns(frame: Frame, client: Client): boolean {
  return frame.topics.some((topic) => client.topics.includes(topic));
}

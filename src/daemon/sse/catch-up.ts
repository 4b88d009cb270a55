import { setImmediate as nextTurn } from 'node:timers/promises';
import { LukhasError } from '../../lib/errors.js';
import type { Tally } from './channel.js';
import type { Client } from './client.js';
import type { Frame } from './frames.js';
import { endOf } from './history.js';
import { reaches } from './position.js';
import type { Ring } from './ring.js';
import type { FeedSource, Framer } from './source.js';
import { onlySubject } from './topics.js';

const PAGE = 256;
/** Clients served from memory in one turn of the event loop; a read of the database has a turn of its own. */
const SLICE = 32;

export interface CatchUpOptions {
  source: FeedSource;
  framer: Framer;
  ring: Ring;
  tally: Tally;
  writeBytes: number;
  /** Wait before the database is asked again that could not be read, ms. */
  retryMs: number;
  /** Makes the ring go on to what is committed now. */
  follow(): Promise<void>;
  /** The client has everything up to the ring's head. */
  join(client: Client): void;
  onError(error: unknown): void;
}

/**
 * Tells clients what came before they are live: from the ring where it reaches back that far, else from the database, at
 * the pace at which they read.
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

  /** From `client.position` on. */
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
      // It keeps its place: whoever waits loses nothing.
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
    this.#tell(client, frames);
    if (number < ring.next || client.waiting) return;
    this.remove(client);
    join(client);
  }

  async #fromDatabase(client: Client): Promise<void> {
    const { source, framer, ring, follow } = this.#options;
    const { head } = ring;
    // Read and told since the ring was last filled.
    if (reaches(client.position, head)) {
      await follow();
      if (ring.holds(client.position)) return;
      throw new LukhasError('LEDGER_BUSY', 'a stream waits for the log to be readable again');
    }
    // Whatever came before `head` is seen by the question after it.
    if (await this.#isOver(client)) {
      client.position = head;
      return;
    }
    const items = await source.feed(client.position, PAGE);
    const frames = await framer.frames(items);
    this.#tell(
      client,
      frames.flatMap((frame) => (frame !== null && concerns(frame, client) ? [frame] : [])),
    );
    // An empty page: nothing is left of what came between, it has been pruned.
    client.position = items.at(-1)?.position ?? head;
  }

  /** Whether it follows one canary or job alone, and has everything of it. */
  async #isOver({ topics, position }: Client): Promise<boolean> {
    const subject = onlySubject(topics);
    if (subject === null) return false;
    const end = await endOf(this.#options.source, subject);
    return end !== null && position.seq >= end;
  }

  #tell(client: Client, frames: readonly Frame[]): void {
    if (frames.length === 0 || client.gone) return;
    client.write(Buffer.concat(frames.map(({ bytes }) => bytes)));
    this.#options.tally.sent += frames.length;
  }
}

function concerns(frame: Frame, client: Client): boolean {
  return frame.topics.some((topic) => client.topics.includes(topic));
}

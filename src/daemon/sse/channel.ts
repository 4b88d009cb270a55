import type { Client } from './client.js';
import type { Ring } from './ring.js';

/** Counts kept by channels and the catch-up. */
export interface Tally {
  sent: number;
  dropped: number;
}

export interface ChannelLimits {
  /** Frames that a client may be behind. */
  lag: number;
  /** Most bytes in one write, unless a single frame is longer. */
  writeBytes: number;
  /** Heartbeats for which one write may wait. */
  stalledBeats: number;
}

interface Batch {
  bytes: Buffer;
  /** Number in the channel of the first frame after the batch. */
  next: number;
}

export const HEARTBEAT = Buffer.from(': keep-alive\n\n');
const MOST_BATCHES = 16;

/** Live clients that follow the same topics, and share the buffers written to them. */
export class Channel {
  readonly topics: readonly string[];
  readonly #ring: Ring;
  readonly #limits: ChannelLimits;
  readonly #tally: Tally;
  readonly #clients: Client[] = [];
  readonly #places = new Map<Client, number>();
  /** Numbers in the ring of the frames that some client has not received yet. */
  #frames: number[] = [];
  /** Number in the channel of the first of them. */
  #first = 0;
  #newest = -1;
  /** Joined frames, by the number of the first: clients at the same place get the same buffer. */
  readonly #batches = new Map<number, Batch | null>();
  /** Index of the next client in the current walk. */
  #place = 0;
  #again = false;
  #beat: 'none' | 'due' | 'now' = 'none';

  constructor(topics: readonly string[], ring: Ring, limits: ChannelLimits, tally: Tally) {
    this.topics = topics;
    this.#ring = ring;
    this.#limits = limits;
    this.#tally = tally;
  }

  get size(): number {
    return this.#clients.length;
  }

  get clients(): readonly Client[] {
    return this.#clients;
  }

  /** The client must have received everything up to the ring's head. */
  add(client: Client): void {
    client.at = this.#end;
    this.#places.set(client, this.#clients.length);
    this.#clients.push(client);
  }

  /** @returns false when it is not in this channel */
  remove(client: Client): boolean {
    const place = this.#places.get(client);
    if (place === undefined) return false;
    this.#places.delete(client);
    const last = this.#clients.pop() as Client;
    if (last !== client) {
      this.#clients[place] = last;
      this.#places.set(last, place);
    }
    // The client that moved to the free place may have been skipped.
    if (place < this.#place) this.#again = true;
    return true;
  }

  /** A frame that has several of the topics is sent once. */
  publish(number: number): void {
    if (number === this.#newest) return;
    this.#newest = number;
    this.#frames.push(number);
    this.#batches.clear();
    this.#again = true;
  }

  heartbeat(): void {
    this.#beat = 'due';
  }

  /**
   * Sends up to `budget` clients what they have not received, continuing where it stopped.
   * @returns how many clients were visited; fewer than the budget at the end of the walk, see `pending`
   */
  walk(budget: number): number {
    if (this.#place === 0) {
      this.#again = false;
      this.#beat = this.#beat === 'due' ? 'now' : 'none';
    }
    let done = 0;
    while (done < budget && this.#place < this.#clients.length) {
      const client = this.#clients[this.#place] as Client;
      this.#place++;
      done++;
      this.#serve(client);
    }
    if (this.#place >= this.#clients.length) this.#finish();
    return done;
  }

  /** Whether another walk, or the rest of this one, is needed. */
  get pending(): boolean {
    return this.#again || this.#place > 0 || this.#beat === 'due';
  }

  /** Sends one client what it has not received, when it can take more. */
  serve(client: Client): void {
    if (this.#places.has(client)) this.#deliver(client);
  }

  get #end(): number {
    return this.#first + this.#frames.length;
  }

  #serve(client: Client): void {
    if (client.gone) return;
    if (client.waiting) {
      const late = this.#end - client.at > this.#limits.lag;
      if (late || (this.#beat === 'now' && ++client.stalled > this.#limits.stalledBeats)) this.#drop(client);
    } else if (client.at < this.#end) this.#deliver(client);
    else if (this.#beat === 'now') client.write(HEARTBEAT);
  }

  #deliver(client: Client): void {
    while (!client.waiting && !client.gone && client.at < this.#end) {
      const batch = this.#batch(client.at);
      if (batch === null) {
        this.#drop(client);
        return;
      }
      client.write(batch.bytes);
      this.#tally.sent += batch.next - client.at;
      client.at = batch.next;
    }
  }

  #drop(client: Client): void {
    this.#tally.dropped++;
    client.drop();
  }

  /** Null when the frame is no longer in the ring. */
  #batch(from: number): Batch | null {
    const known = this.#batches.get(from);
    if (known !== undefined) return known;
    const made = this.#join(from);
    if (this.#batches.size >= MOST_BATCHES) this.#batches.clear();
    this.#batches.set(from, made);
    return made;
  }

  #join(from: number): Batch | null {
    const parts: Buffer[] = [];
    let bytes = 0;
    let next = from;
    for (; next < this.#end; next++) {
      const frame = this.#ring.at(this.#frames[next - this.#first] as number);
      if (frame === undefined) return null;
      if (bytes > 0 && bytes + frame.bytes.length > this.#limits.writeBytes) break;
      parts.push(frame.bytes);
      bytes += frame.bytes.length;
    }
    return { bytes: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, bytes), next };
  }

  /** Ends the walk, and forgets the frames that all clients have. */
  #finish(): void {
    this.#place = 0;
    this.#batches.clear();
    let least = this.#end;
    for (const { at } of this.#clients) if (at < least) least = at;
    if (least === this.#first) return;
    this.#frames.splice(0, least - this.#first);
    this.#first = least;
  }
}

import { Channel, type ChannelLimits, type Tally } from './channel.js';
import type { Client } from './client.js';
import type { Frame } from './frames.js';
import type { Ring } from './ring.js';

/** Clients served before yielding to the event loop: serving thousands at once would block everything else. */
const SLICE = 256;

/** Sends new frames to the live clients, a slice of them in each turn of the event loop. */
export class FanOut {
  readonly #ring: Ring;
  readonly #limits: ChannelLimits;
  readonly #tally: Tally;
  readonly #channels = new Map<string, Channel>();
  readonly #byTopic = new Map<string, Set<Channel>>();
  /** Channels with something to send, each once, in order. */
  readonly #queue = new Set<Channel>();
  #scheduled: NodeJS.Immediate | null = null;

  constructor(ring: Ring, limits: ChannelLimits, tally: Tally) {
    this.#ring = ring;
    this.#limits = limits;
    this.#tally = tally;
  }

  get size(): number {
    let sum = 0;
    for (const channel of this.#channels.values()) sum += channel.size;
    return sum;
  }

  *clients(): Generator<Client> {
    for (const channel of this.#channels.values()) yield* channel.clients;
  }

  publish(frame: Frame): void {
    const number = this.#ring.next;
    this.#ring.push(frame);
    for (const topic of frame.topics) {
      for (const channel of this.#byTopic.get(topic) ?? []) {
        channel.publish(number);
        this.#enqueue(channel);
      }
    }
  }

  /** From now on the client gets what is published; it must have everything before that. */
  add(client: Client): void {
    const channel = this.#channelOf(client.topics);
    channel.add(client);
    client.onFree(() => channel.serve(client));
  }

  remove(client: Client): void {
    const key = keyOf(client.topics);
    const channel = this.#channels.get(key);
    if (!channel?.remove(client)) return;
    if (channel.size > 0) {
      if (channel.pending) this.#enqueue(channel);
      return;
    }
    this.#channels.delete(key);
    this.#queue.delete(channel);
    for (const topic of channel.topics) {
      const channels = this.#byTopic.get(topic);
      channels?.delete(channel);
      if (channels?.size === 0) this.#byTopic.delete(topic);
    }
  }

  heartbeat(): void {
    for (const channel of this.#channels.values()) {
      channel.heartbeat();
      this.#enqueue(channel);
    }
  }

  stop(): void {
    if (this.#scheduled !== null) clearImmediate(this.#scheduled);
    this.#scheduled = null;
  }

  #channelOf(topics: readonly string[]): Channel {
    const key = keyOf(topics);
    const known = this.#channels.get(key);
    if (known) return known;
    const channel = new Channel(topics, this.#ring, this.#limits, this.#tally);
    this.#channels.set(key, channel);
    for (const topic of topics) this.#byTopic.set(topic, (this.#byTopic.get(topic) ?? new Set()).add(channel));
    return channel;
  }

  #enqueue(channel: Channel): void {
    this.#queue.add(channel);
    this.#scheduled ??= setImmediate(this.#serveSlice);
  }

  readonly #serveSlice = (): void => {
    let budget = SLICE;
    for (const channel of this.#queue) {
      budget -= Math.max(1, channel.walk(budget));
      this.#queue.delete(channel);
      // To the end of the queue, so that a channel with many clients does not delay the others.
      if (channel.pending) this.#queue.add(channel);
      if (budget <= 0) break;
    }
    this.#scheduled = this.#queue.size > 0 ? setImmediate(this.#serveSlice) : null;
  };
}

function keyOf(topics: readonly string[]): string {
  return topics.join('\n');
}

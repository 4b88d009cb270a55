import { maskedJson, visibleJson } from '../../lib/input/index.js';
import type { FeedItem, FeedPosition } from '../../lib/ledger/index.js';
import { eventId, type FeedSource, type Judging, type StreamEvent, Teller } from '../../lib/stream/index.js';

/** An event as its subscribers get it: the same bytes for all of them. */
export interface Frame {
  /** The place in the feed after it. */
  position: FeedPosition;
  topics: readonly string[];
  bytes: Buffer;
}

/** Makes frames of feed items. */
export class Framer {
  readonly #teller: Teller;

  constructor(source: FeedSource) {
    this.#teller = new Teller(source);
  }

  /** See `Teller.log`. */
  log(): Promise<string | null> {
    return this.#teller.log();
  }

  /** One for each item; null for items that the stream leaves out. @param judging see `Teller.events` */
  async frames(items: readonly FeedItem[], judging?: Judging): Promise<(Frame | null)[]> {
    const events = await this.#teller.events(items, judging);
    const log = await this.#teller.log();
    return events.map((event, i) => event && frameOf(event, (items[i] as FeedItem).position, log));
  }
}

function frameOf({ name, topics, data }: StreamEvent, position: FeedPosition, log: string | null): Frame {
  return { position, topics, bytes: Buffer.from(eventText(eventId(position, log), name, data)) };
}

/** The event stream's own form (HTML standard, section 9.2). JSON has no line breaks of its own. */
export function eventText(id: string, name: string, data: Record<string, unknown>): string {
  return `id: ${id}\nevent: ${name}\ndata: ${visibleJson(maskedJson(data))}\n\n`;
}

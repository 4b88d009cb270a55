import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeedItem, FeedPosition } from '../../lib/ledger/index.js';
import type { FeedSource } from './source.js';

const PAGE = 512;

export interface FollowerOptions {
  source: FeedSource;
  start: FeedPosition;
  /** How often commits of other processes are looked for, ms; this one's own are read at once. */
  pollMs: number;
  /** Given each page once; the next is read when it resolves. A page whose promise rejects is given again. */
  onItems(items: readonly FeedItem[]): Promise<void>;
  onError(error: unknown): void;
}

/** Reads what is committed to the log, by whichever process, in order and once. */
export class Follower {
  readonly #options: FollowerOptions;
  #position: FeedPosition;
  #seen: FeedPosition | null = null;
  #reading: Promise<void> = Promise.resolve();
  #wanted = false;
  #timer: NodeJS.Timeout | null = null;
  #stopListening: (() => void) | null = null;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#position = options.start;
  }

  start(): void {
    const wake = (): void => {
      // Many commits in one turn of the event loop are read together.
      if (!this.#wanted) void this.#read();
    };
    this.#stopListening = this.#options.source.onCommit(wake);
    this.#timer = setInterval(wake, this.#options.pollMs);
  }

  /** Resolves when everything has been given that was committed before the call, or the database could not be read. */
  catchUp(): Promise<void> {
    return this.#read();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#stopListening?.();
    await this.#reading;
  }

  /** One after another. Failures are told and tried again at the next look, from the same place: nothing is lost. */
  #read(): Promise<void> {
    this.#wanted = true;
    this.#reading = this.#reading.then(async () => {
      this.#wanted = false;
      try {
        await this.#readAll();
      } catch (error) {
        this.#seen = null;
        this.#options.onError(error);
      }
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    const { source, onItems } = this.#options;
    const end = await source.feedEnd();
    if (this.#seen !== null && end.seq === this.#seen.seq && end.row === this.#seen.row) return;
    for (;;) {
      const items = await source.feed(this.#position, PAGE);
      const last = items.at(-1);
      if (last === undefined) break;
      await onItems(items);
      this.#position = last.position;
      if (items.length < PAGE) break;
      await nextTurn();
    }
    this.#seen = end;
  }
}

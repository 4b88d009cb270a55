import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import { Wake } from '../wake.js';
import type { FeedItem, FeedPosition, Ledger } from './ledger.js';

/** How often other processes' commits are looked for; this process's own are told at once. */
export const FOLLOW_MS = 100;

/** Read and passed on in some milliseconds: after a long absence there are many pages, and others have their turn in between. */
const PAGE = 128;

/** Whether this process committed, or another one may have. */
type Committer = 'here' | 'elsewhere';

/**
 * Tells when something was committed to the log, by whichever process. All who follow a log in one process share one: it
 * asks the database for a single number, and only while somebody listens.
 */
export class LogFollower {
  readonly #listeners = new Set<(by: Committer) => void>();
  readonly #wake: Wake;
  #following = false;
  #version: number | null = null;

  constructor(
    private readonly log: Pick<Ledger, 'onCommit' | 'dataVersion'>,
    private readonly clock: Clock,
  ) {
    this.#wake = new Wake(clock);
  }

  /**
   * Calls `listener` for every change that comes after this call; for one of another process within FOLLOW_MS. It may
   * be called when nothing has changed.
   * @returns what ends that
   */
  onChange(listener: (by: Committer) => void): () => void {
    this.#listeners.add(listener);
    if (!this.#following) void this.#follow();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#wake.wake();
    };
  }

  /** Calls every listener at the next look, changed or not: for one that could not read what it was told of. */
  retry(): void {
    this.#version = null;
  }

  async #follow(): Promise<void> {
    this.#following = true;
    this.#version = null;
    const stop = this.log.onCommit(() => this.#tell('here'));
    while (this.#listeners.size > 0) {
      await this.#wake.sleepUntil(this.clock.now() + FOLLOW_MS);
      if (this.#listeners.size > 0 && (await this.#hasChanged())) this.#tell('elsewhere');
    }
    stop();
    this.#following = false;
  }

  /** Also when it cannot be told: whoever reads the log then meets what is wrong with it. */
  async #hasChanged(): Promise<boolean> {
    const before = this.#version;
    const now = await this.log.dataVersion().catch(() => null);
    // Null again: somebody asked for another look meanwhile.
    if (this.#version === before) this.#version = now;
    return now === null || now !== before;
  }

  #tell(by: Committer): void {
    for (const listener of this.#listeners) listener(by);
  }
}

export interface FeedReaderOptions {
  ledger: Pick<Ledger, 'feed'>;
  follower: LogFollower;
  from: FeedPosition;
  /** Given each page once; the next is read when it resolves. A page whose promise rejects is given again. */
  onItems(items: readonly FeedItem[]): Promise<void> | void;
  /** Told of every look at the log that failed; it is made again, from the same place. */
  onError(error: unknown): void;
}

/** Reads what is committed to the log from a position on, by whichever process, in order and once. */
export class FeedReader {
  readonly #options: FeedReaderOptions;
  #position: FeedPosition;
  #reading: Promise<void> = Promise.resolve();
  #wanted = false;
  #stopped = false;
  #stopListening: (() => void) | null = null;

  constructor(options: FeedReaderOptions) {
    this.#options = options;
    this.#position = options.from;
  }

  start(): void {
    // Many commits in one turn of the event loop are read together.
    const changed = (): void => void (this.#wanted || this.catchUp());
    this.#stopListening = this.#options.follower.onChange(changed);
    changed();
  }

  /** Resolves when everything has been given that was committed before the call, or the log could not be read. */
  catchUp(): Promise<void> {
    this.#wanted = true;
    this.#reading = this.#reading.then(async () => {
      this.#wanted = false;
      try {
        await this.#readAll();
      } catch (error) {
        this.#options.follower.retry();
        this.#options.onError(error);
      }
    });
    return this.#reading;
  }

  /** Nothing is given any more; resolves when what was given last has been taken. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening?.();
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    const { ledger, onItems } = this.#options;
    for (;;) {
      const items = await ledger.feed(this.#position, PAGE);
      const last = items.at(-1);
      if (last === undefined || this.#stopped) return;
      await onItems(items);
      this.#position = last.position;
      if (items.length < PAGE) return;
      await nextTurn();
    }
  }
}

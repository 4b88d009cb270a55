import type { Clock } from '../lib/clock.js';
import type { FeedItem, FeedPosition, Ledger } from '../lib/ledger/index.js';
import { Wake } from '../lib/wake.js';

type Listener = (items: readonly FeedItem[]) => void;

/** How often commits of other processes are polled for; this process's own are passed on at once. */
const POLL_MS = 250;
const PAGE = 500;

/**
 * Passes on to listeners what any process commits to the log, from the moment they subscribe. Follows the log only while there
 * is a listener.
 */
export class Changes {
  private readonly listeners = new Set<Listener>();
  private following: Promise<void> | null = null;
  private position: Promise<FeedPosition> | null = null;
  private readonly wake: Wake;

  constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
    private readonly onError: (error: unknown) => void,
  ) {
    this.wake = new Wake(clock);
  }

  /**
   * Resolves when the listener is sure to get everything committed from now on.
   * @returns ends the subscription
   */
  async subscribe(listener: Listener): Promise<() => void> {
    this.listeners.add(listener);
    this.position ??= this.ledger.feedEnd();
    try {
      await this.position;
    } catch (error) {
      this.position = null;
      this.listeners.delete(listener);
      throw error;
    }
    if (this.listeners.has(listener)) this.following ??= this.follow();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.wake.wake();
    };
  }

  private async follow(): Promise<void> {
    const stop = this.ledger.onCommit(() => this.wake.wake());
    try {
      while (this.listeners.size > 0) {
        await this.read();
        await this.wake.sleepUntil(this.clock.now() + POLL_MS);
      }
    } finally {
      stop();
      this.following = null;
      this.position = null;
    }
  }

  private async read(): Promise<void> {
    try {
      let at = await this.position!;
      for (;;) {
        const items = await this.ledger.feed(at, PAGE);
        const last = items.at(-1);
        if (last === undefined) return;
        at = last.position;
        this.position = Promise.resolve(at);
        for (const listener of this.listeners) listener(items);
      }
    } catch (error) {
      // A busy database is read again at the next poll, from the same position.
      this.onError(error);
    }
  }
}

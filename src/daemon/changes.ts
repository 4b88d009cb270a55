import type { FeedItem, Ledger, LogFollower } from '../lib/ledger/index.js';
import { FeedReader } from '../lib/ledger/index.js';

type Listener = (items: readonly FeedItem[]) => void;

/**
 * Passes on to listeners what any process commits to the log, from the moment they subscribe. Reads the log once for all of
 * them, and only while there is a listener.
 */
export class Changes {
  private readonly listeners = new Set<Listener>();
  private reader: Promise<FeedReader> | null = null;

  constructor(
    private readonly ledger: Ledger,
    private readonly follower: LogFollower,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * Resolves when the listener is sure to get everything committed from now on.
   * @returns ends the subscription
   */
  async subscribe(listener: Listener): Promise<() => void> {
    this.listeners.add(listener);
    this.reader ??= this.begin();
    const unsubscribe = () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.end();
    };
    try {
      await this.reader;
    } catch (error) {
      unsubscribe();
      throw error;
    }
    return unsubscribe;
  }

  private async begin(): Promise<FeedReader> {
    const { ledger, follower, onError } = this;
    const from = await ledger.feedEnd();
    const onItems = (items: readonly FeedItem[]): void => {
      for (const listener of this.listeners) listener(items);
    };
    const reader = new FeedReader({ ledger, follower, from, onItems, onError });
    reader.start();
    return reader;
  }

  private end(): void {
    // One that could not begin has nothing to stop.
    this.reader?.then((reader) => reader.stop()).catch(() => undefined);
    this.reader = null;
  }
}

import type { FeedItem } from '../lib/ledger/index.js';
import { endsWindow } from '../lib/readings/index.js';

/** How long canaries were without readings, counted from a given time on. */
export class FallbackTime {
  /** When the readings of each canary stopped, ms since the epoch. */
  readonly #engaged = new Map<string, number>();
  #doneMs = 0;

  /** @param from nothing before it is counted, ms since the epoch */
  constructor(private readonly from: number) {}

  /** A canary that was without readings when the counting began. */
  engaged(canaryId: string, since: number): void {
    if (!this.#engaged.has(canaryId)) this.#engaged.set(canaryId, since);
  }

  take(items: readonly FeedItem[]): void {
    for (const item of items) {
      if (item.type !== 'event') continue;
      const { event } = item;
      if (event.kind === 'fallback.engaged') this.#engaged.set(event.subject, event.data.since);
      else if (event.kind === 'fallback.released' || endsWindow(event)) this.#end(event.subject, Date.parse(event.ts));
    }
  }

  /** `totalSeconds` only grows; `longestSeconds`: the longest of canaries without readings now, 0 when there are none. */
  read(now: number): { totalSeconds: number; longestSeconds: number } {
    const running = [...this.#engaged.values()];
    const total = running.reduce((sum, since) => sum + this.#counted(since, now), this.#doneMs);
    const longest = running.reduce((most, since) => Math.max(most, now - since), 0);
    return { totalSeconds: total / 1000, longestSeconds: longest / 1000 };
  }

  #end(canaryId: string, at: number): void {
    const since = this.#engaged.get(canaryId);
    if (since === undefined) return;
    this.#engaged.delete(canaryId);
    this.#doneMs += this.#counted(since, at);
  }

  #counted(since: number, until: number): number {
    return Math.max(0, until - Math.max(since, this.from));
  }
}

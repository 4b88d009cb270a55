import { type Policy, windowBegins } from '../lib/judge/index.js';
import type { FeedItem } from '../lib/ledger/index.js';
import { type Canary, endsWindow } from '../lib/readings/index.js';

interface Window {
  policy: Policy;
  /** Ms since the epoch; null before the first check. */
  endsAt: number | null;
}

/** How far canaries are past the end of their windows: each is decided at the first check after it, so more than that is a fault. */
export class Overdue {
  /** Of every canary that is not decided. */
  readonly #windows = new Map<string, Window>();

  /** A canary that was open before `take` began. */
  open({ id, state, policy, startedAt, extended }: Canary): void {
    if (state === 'PENDING' || state === 'RUNNING')
      this.#windows.set(id, { policy, endsAt: startedAt === null ? null : endOf(policy, startedAt, extended) });
  }

  take(items: readonly FeedItem[]): void {
    for (const item of items) {
      if (item.type !== 'event') continue;
      const { event } = item;
      const window = this.#windows.get(event.subject);
      if (event.kind === 'canary.requested')
        this.#windows.set(event.subject, { policy: event.data.policy, endsAt: null });
      else if (event.kind === 'canary.started' && window !== undefined)
        window.endsAt = endOf(window.policy, event.data.startedAt, false);
      else if (event.kind === 'canary.extended' && window !== undefined) window.endsAt = event.data.windowEndsAt;
      else if (endsWindow(event)) this.#windows.delete(event.subject);
    }
  }

  /** Of the canary that is furthest past its end; 0 when none is. */
  longestSeconds(now: number): number {
    let longest = 0;
    for (const { endsAt } of this.#windows.values()) if (endsAt !== null) longest = Math.max(longest, now - endsAt);
    return longest / 1000;
  }
}

function endOf(policy: Policy, startedAt: number, extended: boolean): number {
  const seconds = extended ? policy.maxWindowSeconds : policy.windowSeconds;
  return windowBegins(policy, startedAt) + seconds * 1000;
}

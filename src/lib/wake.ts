import type { Clock } from './clock.js';

/** Longer sleeps are slept in pieces: Node.js fires a timer of more than 2 ** 31 - 1 ms at once. */
const LONGEST_MS = 60_000;
/** A reason of its own: making the usual one, with its stack, costs more than the sleep that it ends. */
const WOKEN = 'woken';

/**
 * Where a loop sleeps between two rounds: until a time, or until it is woken. A wake-up that comes while it is busy
 * counts for its next sleep, so none is lost. One loop at a time sleeps on it.
 */
export class Wake {
  /** When this sleep, or the next one, ends at the latest, ms since the epoch. */
  #due = Number.POSITIVE_INFINITY;
  #timer: AbortController | null = null;

  constructor(private readonly clock: Clock) {}

  /** @param at when the sleep is to end unless it ends sooner, ms since the epoch; now when left out */
  wake(at = Number.NEGATIVE_INFINITY): void {
    if (at >= this.#due) return;
    this.#due = at;
    this.#timer?.abort(WOKEN);
  }

  /** Resolves at `at` (ms since the epoch), when woken, and when the signal aborts. Leaves no timer behind. */
  async sleepUntil(at: number, signal?: AbortSignal): Promise<void> {
    const end = () => this.wake();
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
    this.wake(at);
    try {
      for (let left = this.#left(); left > 0; left = this.#left()) await this.#sleep(Math.min(left, LONGEST_MS));
    } finally {
      this.#due = Number.POSITIVE_INFINITY;
      signal?.removeEventListener('abort', end);
    }
  }

  #left(): number {
    return this.#due - this.clock.now();
  }

  async #sleep(ms: number): Promise<void> {
    const timer = new AbortController();
    this.#timer = timer;
    try {
      await this.clock.sleep(ms, timer.signal);
    } catch (error) {
      if (!timer.signal.aborted) throw error;
    } finally {
      this.#timer = null;
    }
  }
}

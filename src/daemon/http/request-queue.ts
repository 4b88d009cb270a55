import { oneATurn } from '../../lib/turns.js';

/** How many fresh requests begin before one that is behind. */
const FRESH_AT_ONCE = 4;

/**
 * Begins the work of requests one at a time. Requests behind others on their connection come after those that are first on theirs,
 * but are never left waiting for good.
 */
export class RequestQueue {
  readonly #fresh: (() => void)[] = [];
  readonly #behind: (() => void)[] = [];
  readonly #schedule = oneATurn(
    () => this.#fresh.length + this.#behind.length,
    () => this.#take(),
  );
  #taken = 0;

  /** @param work must not throw */
  add(work: () => void, place: 'fresh' | 'behind'): void {
    (place === 'fresh' ? this.#fresh : this.#behind).push(work);
    this.#schedule();
  }

  /** Resolves when a fresh request would begin. */
  next(): Promise<void> {
    return new Promise((resolve) => this.add(resolve, 'fresh'));
  }

  #take(): (() => void) | undefined {
    const isDue = this.#fresh.length === 0 || this.#taken >= FRESH_AT_ONCE;
    if (isDue && this.#behind.length > 0) {
      this.#taken = 0;
      return this.#behind.shift();
    }
    this.#taken++;
    return this.#fresh.shift();
  }
}

import { afterLooks } from '../../lib/turns.js';

/** How many fresh turns are taken before one that is behind. */
const FRESH_AT_ONCE = 4;

/**
 * Begins the work of requests one at a time, with a look at the network in between: however many requests have arrived, a probe or a
 * new connection is served after at most one of them. Requests behind others on their connection come after those that are first on
 * theirs, but are never left waiting for good.
 */
export class Turns {
  readonly #fresh: (() => void)[] = [];
  readonly #behind: (() => void)[] = [];
  #taken = 0;
  #scheduled = false;

  /** @param work must not throw */
  add(work: () => void, place: 'fresh' | 'behind'): void {
    (place === 'fresh' ? this.#fresh : this.#behind).push(work);
    this.#schedule();
  }

  /** Resolves at the next fresh turn. */
  next(): Promise<void> {
    return new Promise((resolve) => this.add(resolve, 'fresh'));
  }

  #schedule(): void {
    if (this.#scheduled || this.#fresh.length + this.#behind.length === 0) return;
    this.#scheduled = true;
    afterLooks(() => {
      this.#scheduled = false;
      const work = this.#take();
      this.#schedule();
      work?.();
    });
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

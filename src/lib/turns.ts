import { setImmediate as othersTurn } from 'node:timers/promises';

/** What probes and ticks wait for at most, before they have their turn. */
const SLICE_MS = 5;

/**
 * Keeps long work in slices. Awaiting what resolves at once (a read of the database, say) lets nothing else run: neither a
 * timer, nor a request that has come in meanwhile.
 */
export class Turns {
  #since = performance.now();

  /** Resolves at once within the first 5 ms; then everything else has its turn, and the next slice begins. Call it between short steps. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await othersTurn();
    this.#since = performance.now();
  }
}

import type { Clock } from '../../src/lib/clock.js';

/** Time that stands still until the test moves it; knows who sleeps. */
export class ManualClock implements Clock {
  readonly #sleepers = new Set<{ at: number; resolve: () => void }>();
  /** Sleeps that have begun, since the start. */
  begun = 0;
  /** Of these, ms. */
  longest = 0;

  constructor(public time = 0) {}

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.begun++;
    this.longest = Math.max(this.longest, ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.time + ms, resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        if (this.#sleepers.delete(sleeper)) reject(signal.reason);
      });
    });
  }

  /** Wakes whoever sleeps until then, and lets what they do settle. */
  async advance(ms: number): Promise<void> {
    this.time += ms;
    for (const sleeper of this.#sleepers)
      if (sleeper.at <= this.time && this.#sleepers.delete(sleeper)) sleeper.resolve();
    await settled();
  }
}

/** Everything that is not waiting for a clock or the outside has gone as far as it gets. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

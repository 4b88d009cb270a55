import type { Clock } from '../../clock.js';

/** A process that should have had its turn after a second and did not for so long was stopped, or its machine slept. */
const ASLEEP_MS = 5_000;
const LOOK_MS = 1000;

/**
 * Gives up a connection on which nothing is heard: for too long, or because this process or its machine was asleep, when a
 * connection may be dead without anybody having been told.
 */
export class Silence {
  readonly #clock: Clock;
  readonly #longestMs: number;
  readonly #given = new AbortController();
  readonly #ended = new AbortController();
  #heardAt: number;

  constructor(clock: Clock, longestMs: number) {
    this.#clock = clock;
    this.#longestMs = longestMs;
    this.#heardAt = clock.monotonic();
    void this.#watch();
  }

  /** Aborts when the connection is given up, with the reason. */
  get signal(): AbortSignal {
    return this.#given.signal;
  }

  heard(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  end(): void {
    this.#ended.abort();
  }

  async #watch(): Promise<void> {
    const look = Math.min(LOOK_MS, this.#longestMs / 4);
    while (!this.#ended.signal.aborted) {
      const before = times(this.#clock);
      await this.#clock.sleep(look, this.#ended.signal).catch(() => undefined);
      if (this.#ended.signal.aborted) return;
      const after = times(this.#clock);
      // The monotonic clock stands still while the machine is suspended, the wall clock does not.
      const took = Math.max(after.monotonic - before.monotonic, after.wall - before.wall);
      const silent = after.monotonic - this.#heardAt;
      if (took > look + ASLEEP_MS) this.#given.abort(new Error('this process was asleep'));
      else if (silent > this.#longestMs)
        this.#given.abort(new Error(`nothing was heard for ${Math.round(silent / 1000)} s`));
    }
  }
}

function times(clock: Clock): { monotonic: number; wall: number } {
  return { monotonic: clock.monotonic(), wall: Date.now() };
}

/**
 * Work that is done once for all who ask for it while it runs: a second verification of the same log would only make both
 * slower. It is stopped when nobody waits for it any more.
 */
export class Shared<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running: Run<T> | null = null;

  /** @param work is stopped by its signal, and then rejects */
  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /**
   * Joins what runs, or begins.
   * @throws the signal's reason, as soon as it aborts; what the work throws
   */
  async join(signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    this.#running ??= this.#begin();
    const run = this.#running;
    run.waiting++;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal?.reason);
      signal?.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([run.result, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
      if (--run.waiting === 0) this.#abandon(run);
    }
  }

  #begin(): Run<T> {
    const stop = new AbortController();
    const run: Run<T> = { result: this.#work(stop.signal), stop, waiting: 0 };
    const over = (): void => {
      if (this.#running === run) this.#running = null;
    };
    // Who joined gets the error.
    run.result.then(over, over);
    return run;
  }

  /** Harmless when it has ended. */
  #abandon(run: Run<T>): void {
    // Whoever comes now begins anew.
    if (this.#running === run) this.#running = null;
    run.stop.abort(new Error('nobody waits for it any more'));
  }
}

interface Run<T> {
  result: Promise<T>;
  stop: AbortController;
  waiting: number;
}

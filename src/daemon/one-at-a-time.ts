/** Pieces of work one after another, in the order in which they were asked for: each takes a processor core for itself. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param work is stopped by the signal
   * @throws the signal's reason, also while others are before it; what the work throws
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const before = this.#last;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
    });
    left.catch(() => undefined);
    const mine = before.then(() => {
      signal.throwIfAborted();
      return work();
    });
    // Whoever comes next waits for this, however it ends.
    this.#last = mine.catch(() => undefined);
    try {
      return await Promise.race([mine, left]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }
}

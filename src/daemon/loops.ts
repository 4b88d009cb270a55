/** Work that goes on as long as the daemon does. One that ends before is a failure of the whole: it is seen, not waited for. */
export class Loops {
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #dead = new Map<string, string>();
  #fail: (error: Error) => void = () => undefined;

  /** Resolves with what ended the first loop that nobody has stopped. */
  readonly failed = new Promise<Error>((resolve) => {
    this.#fail = resolve;
  });

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** @param work ends when the signal aborts, and not before */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const ended = work(this.signal).then(
      () => this.#ended(name, new Error(`${name}: ended by itself`)),
      (error: unknown) => this.#ended(name, error instanceof Error ? error : new Error(String(error))),
    );
    this.#running.set(name, ended);
  }

  /** Names of those that have died, with why. */
  dead(): string[] {
    return [...this.#dead].map(([name, why]) => `${name}: ${why}`);
  }

  /** Stops all and waits until each has finished what it was at. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('lukhas is stopping'));
    await Promise.all(this.#running.values());
  }

  #ended(name: string, error: Error): void {
    if (this.#stop.signal.aborted) return;
    this.#dead.set(name, error.message);
    this.#fail(error);
  }
}

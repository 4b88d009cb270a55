/** Work that runs as long as the daemon. A loop that ends earlier is a failure of the daemon. */
export class Loops {
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #dead = new Map<string, string>();
  #fail: (error: Error) => void = () => undefined;

  /** Resolves with the error of the first loop that ends without being stopped. */
  readonly failed = new Promise<Error>((resolve) => {
    this.#fail = resolve;
  });

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** @param work must end when the signal aborts, and not before */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const ended = work(this.signal).then(
      () => this.#ended(name, new Error(`${name}: stopped unexpectedly`)),
      (error: unknown) => this.#ended(name, error instanceof Error ? error : new Error(String(error))),
    );
    this.#running.set(name, ended);
  }

  /** Names and errors of the loops that have failed. */
  dead(): string[] {
    return [...this.#dead].map(([name, why]) => `${name}: ${why}`);
  }

  /** Stops all and waits until each has finished its current step. */
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

/**
 * Reads something again and again, one read at a time: what is asked for meanwhile is read once more afterwards, and not more
 * often than one can look. What is shown stays when a later read fails: the connection is told of elsewhere.
 */
export class Latest<T> {
  #reading = false;
  #again = false;
  #hasShown = false;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly show: (value: T) => void,
    private readonly failed: (error: unknown) => void,
    private readonly pauseMs = 1000,
  ) {}

  again(): void {
    this.#again = true;
    if (!this.#reading) void this.#run();
  }

  async #run(): Promise<void> {
    this.#reading = true;
    while (this.#again) {
      this.#again = false;
      try {
        this.show(await this.read());
        this.#hasShown = true;
      } catch (error) {
        if (!this.#hasShown) this.failed(error);
      }
      await new Promise((resolve) => setTimeout(resolve, this.pauseMs));
    }
    this.#reading = false;
  }
}

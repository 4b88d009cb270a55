import { printJsonNow, printNow } from '../screen.js';

/** Most lines in one write. */
const AT_ONCE = 500;

/** Prints lines, or JSON documents, in the order in which they came, and no faster than they are read. */
export class Outlet {
  readonly #waiting: (string | object)[] = [];
  readonly #gone: () => void;
  #writing: Promise<void> | null = null;
  #isRead = true;

  /** @param gone called when nobody reads any more */
  constructor(gone: () => void) {
    this.#gone = gone;
  }

  add(...lines: readonly (string | object)[]): void {
    if (!this.#isRead || lines.length === 0) return;
    this.#waiting.push(...lines);
    this.#writing ??= this.#write();
  }

  /** Resolves when all that was added has been taken, or nobody reads any more. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#isRead && this.#waiting.length > 0) {
      const lines = this.#waiting.splice(0, AT_ONCE);
      const texts = lines.filter((line) => typeof line === 'string');
      const documents = lines.filter((line) => typeof line === 'object');
      this.#isRead = await (texts.length > 0 ? printNow(texts) : printJsonNow(documents));
    }
    this.#writing = null;
    if (this.#isRead) return;
    this.#waiting.length = 0;
    this.#gone();
  }
}

/** What must never happen, by what a user would call it. */
export type Fault =
  | 'acknowledged loss'
  | 'doubled or lost tick'
  | 'overlapping hooks'
  | 'job run twice'
  | 'wrong exit code'
  | 'stack trace'
  | 'orphan'
  | 'log does not verify';

const FAULTS: readonly Fault[] = [
  'acknowledged loss',
  'doubled or lost tick',
  'overlapping hooks',
  'job run twice',
  'wrong exit code',
  'stack trace',
  'orphan',
  'log does not verify',
];

/** Counts what was tried, and what was found. */
export class Tally {
  readonly #tried = new Map<string, { done: number; of: number }>();
  readonly #found: { fault: Fault; where: string }[] = [];

  /** @param of how many there were to try */
  plan(what: string, of: number): void {
    this.#tried.set(what, { done: 0, of });
  }

  tried(what: string): void {
    const count = this.#tried.get(what);
    if (count === undefined) throw new Error(`not planned: ${what}`);
    count.done += 1;
  }

  fault(fault: Fault, where: string): void {
    this.#found.push({ fault, where });
    console.log(`FOUND ${fault}: ${where}`);
  }

  get failed(): number {
    return this.#found.length;
  }

  get passed(): number {
    return [...this.#tried.values()].reduce((sum, { done }) => sum + done, 0);
  }

  lines(): string[] {
    const tried = [...this.#tried].map(([what, { done, of }]) => `${done.toString().padStart(6)} of ${of} ${what}`);
    const found = FAULTS.map((fault) => {
      const count = this.#found.filter((one) => one.fault === fault).length;
      return `${count.toString().padStart(6)} ${fault}`;
    });
    return ['tried', ...tried, 'found', ...found];
  }
}

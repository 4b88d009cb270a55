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
  readonly #tried = new Map<string, { done: number; missed: number; of: number }>();
  readonly #found: { fault: Fault; where: string }[] = [];

  /** @param of how many there were to try */
  plan(what: string, of: number): void {
    this.#tried.set(what, { done: 0, missed: 0, of });
  }

  tried(what: string): void {
    this.#count(what).done += 1;
  }

  /** It was to be tried, and did not come about: another run makes fewer calls, or others. */
  missed(what: string): void {
    this.#count(what).missed += 1;
  }

  #count(what: string) {
    const count = this.#tried.get(what);
    if (count === undefined) throw new Error(`not planned: ${what}`);
    return count;
  }

  fault(fault: Fault, where: string): void {
    this.#found.push({ fault, where });
    console.log(`FOUND ${fault}: ${where}`);
  }

  /** What was found, and of what there was nothing to try. */
  get failed(): number {
    return this.#found.length + this.#hollow().length;
  }

  /** Of these there was nothing to try: nobody may trust them. */
  #hollow(): string[] {
    return [...this.#tried].filter(([, { of }]) => of === 0).map(([what]) => what);
  }

  get passed(): number {
    return [...this.#tried.values()].reduce((sum, { done }) => sum + done, 0);
  }

  lines(): string[] {
    const tried = [...this.#tried].map(([what, { done, missed, of }]) => {
      const also = missed > 0 ? ` (${missed} more did not come about)` : '';
      return `${done.toString().padStart(6)} of ${of} ${what}${also}`;
    });
    const found = FAULTS.map((fault) => {
      const count = this.#found.filter((one) => one.fault === fault).length;
      return `${count.toString().padStart(6)} ${fault}`;
    });
    const hollow = this.#hollow().map((what) => `NOTHING TO TRY of ${what}`);
    return ['tried', ...tried, 'found', ...found, ...hollow];
  }
}

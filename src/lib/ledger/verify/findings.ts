/** How many of each were recomputed. */
interface Checked {
  entries: number;
  nodes: number;
  decisions: number;
  observations: number;
}

export interface VerifyReport {
  ok: boolean;
  /** Number of entries found. */
  size: number;
  /** RFC 6962 root recomputed from the entries found, hex. */
  root: string;
  /** Every entry before this one is as recorded, as far as the file itself can show. */
  firstBad: { seq: number; what: string } | null;
  /** In order of discovery, the first 100. */
  problems: string[];
  problemCount: number;
  checked: Checked;
  /**
   * What is wrong with the tables beside the log, though the log holds; the first 100. Not part of `ok`, which is of the log
   * and its observations alone.
   */
  tableProblems: string[];
  tableProblemCount: number;
  /** What was not checked, and why, in words. */
  notChecked: string[];
}

const MOST = 100;

/** Collects what a verification finds. */
export class Findings {
  readonly checked: Checked = { entries: 0, nodes: 0, decisions: 0, observations: 0 };
  readonly #problems: string[] = [];
  readonly #notChecked: string[] = [];
  readonly #tableProblems: string[] = [];
  #tableProblemCount = 0;
  #problemCount = 0;
  #notCheckedCount = 0;
  #firstBad: { seq: number; what: string } | null = null;

  /** A problem with one entry. */
  bad(seq: number, what: string): void {
    if (this.#firstBad === null || seq < this.#firstBad.seq) this.#firstBad = { seq, what };
    this.problem(`entry ${seq}: ${what}`);
  }

  /** A problem with no entry in particular. */
  problem(text: string): void {
    this.#problemCount++;
    if (this.#problems.length < MOST) this.#problems.push(text);
  }

  /** A problem with a table beside the log: the log itself holds. */
  table(text: string): void {
    this.#tableProblemCount++;
    if (this.#tableProblems.length < MOST) this.#tableProblems.push(text);
  }

  /** Whether nothing is wrong with the log. */
  get ok(): boolean {
    return this.#problemCount === 0;
  }

  unchecked(text: string): void {
    this.#notCheckedCount++;
    if (this.#notChecked.length < MOST) this.#notChecked.push(text);
  }

  report(size: number, root: Buffer): VerifyReport {
    const more = this.#notCheckedCount - this.#notChecked.length;
    return {
      ok: this.ok,
      size,
      root: root.toString('hex'),
      firstBad: this.#firstBad,
      problems: this.#problems,
      problemCount: this.#problemCount,
      checked: this.checked,
      tableProblems: this.#tableProblems,
      tableProblemCount: this.#tableProblemCount,
      notChecked: more > 0 ? [...this.#notChecked, `and ${more} more`] : this.#notChecked,
    };
  }
}

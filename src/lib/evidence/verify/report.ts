import { LukhasError } from '../../errors.js';

/** What a verification of evidence found. */
export interface EvidenceReport {
  /** No problem was found and nothing that was asked for is unproven; `notChecked` lists what that does not cover. */
  ok: boolean;
  /** What was verified, in words. */
  holds: string[];
  /** In order of discovery, the first 100. */
  problems: string[];
  problemCount: number;
  /** What a flag asked for and could not be proven: why, and what to do. */
  notShown: string[];
  /** What was not checked, and why. */
  notChecked: string[];
}

const MOST = 100;

/** Collects findings, and turns VERIFICATION errors into problems. */
export class EvidenceFindings {
  readonly #holds: string[] = [];
  readonly #problems: string[] = [];
  readonly #notShown: string[] = [];
  readonly #notChecked: string[] = [];
  #problemCount = 0;
  #notCheckedCount = 0;

  get problemCount(): number {
    return this.#problemCount;
  }

  holds(text: string): void {
    this.#holds.push(text);
  }

  problem(text: string): void {
    this.#problemCount++;
    if (this.#problems.length < MOST) this.#problems.push(text);
  }

  /** Not a problem of the evidence, but no success either: what was asked for has no answer. */
  notShown(text: string): void {
    this.#notShown.push(text);
  }

  /** For what no flag asked for; otherwise `notShown`. */
  unchecked(text: string): void {
    this.#notCheckedCount++;
    if (this.#notChecked.length < MOST) this.#notChecked.push(text);
  }

  /** @returns the result of `check`; null when it throws VERIFICATION, which becomes a problem */
  async attempt<T>(check: () => T | Promise<T>): Promise<T | null> {
    try {
      return await check();
    } catch (error) {
      this.refusal(error);
      return null;
    }
  }

  /** Records a VERIFICATION error as a problem; throws any other error again. */
  refusal(error: unknown): void {
    if (!(error instanceof LukhasError) || error.code !== 'VERIFICATION') throw error;
    this.problem(error.message);
  }

  report(): EvidenceReport {
    const more = this.#notCheckedCount - this.#notChecked.length;
    return {
      ok: this.#problemCount === 0 && this.#notShown.length === 0,
      holds: this.#holds,
      problems: this.#problems,
      problemCount: this.#problemCount,
      notShown: this.#notShown,
      notChecked: more > 0 ? [...this.#notChecked, `and ${more} more`] : this.#notChecked,
    };
  }
}

/** One report of two verifications of the same thing: ok when both are. */
export function joinReports(first: EvidenceReport, second: EvidenceReport): EvidenceReport {
  return {
    ok: first.ok && second.ok,
    holds: [...first.holds, ...second.holds],
    problems: [...first.problems, ...second.problems],
    problemCount: first.problemCount + second.problemCount,
    notShown: [...first.notShown, ...second.notShown],
    notChecked: [...first.notChecked, ...second.notChecked],
  };
}

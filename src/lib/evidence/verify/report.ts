import { LukhasError } from '../../errors.js';

/** What a verification of evidence found. */
export interface EvidenceReport {
  /** There is no problem, and all that was asked for was shown; `notChecked` says what that does not cover. */
  ok: boolean;
  /** What was shown to hold, in words. */
  holds: string[];
  /** In order of discovery, the first 100. */
  problems: string[];
  problemCount: number;
  /** What was asked for, by a flag, and could not be shown: why, and what to do. */
  notShown: string[];
  /** What could not be told, and why. */
  notChecked: string[];
}

const MOST = 100;

/** Gathers what is found, and turns what is refused into problems. */
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

  /** Not a problem of the evidence, and yet no success: whoever asked must not take silence for a yes. */
  notShown(text: string): void {
    this.#notShown.push(text);
  }

  /** Where nobody asked for it; otherwise `notShown`. */
  unchecked(text: string): void {
    this.#notCheckedCount++;
    if (this.#notChecked.length < MOST) this.#notChecked.push(text);
  }

  /** @returns what `check` made; null when it was refused, which is then a problem */
  async attempt<T>(check: () => T | Promise<T>): Promise<T | null> {
    try {
      return await check();
    } catch (error) {
      this.refusal(error);
      return null;
    }
  }

  /** What does not hold is a problem; any other error is none of evidence, and is thrown again. */
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

/** Of two verifications of the same thing, one report: it is well when both are. */
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

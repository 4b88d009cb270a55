import type { Observation } from '../judge/index.js';
import type { Course } from './course.js';
import type { CanaryReplay } from './result.js';
import { Served, type ServedCounts } from './served.js';

/** Two courses over the same observations: where they diverge, and the requests between their decisions. */
export class Comparison {
  #divergence: CanaryReplay['divergence'] = null;
  #served: Served | null = null;
  #counts: ServedCounts | null = null;

  /** @param original null when the policy it was recorded under is not known: then nothing is compared */
  constructor(
    readonly original: Course | null,
    readonly counterfactual: Course,
  ) {
    original?.share(counterfactual);
  }

  /** Whether further observations change nothing. */
  get done(): boolean {
    return this.counterfactual.decided && (this.original === null || this.original.decided);
  }

  take(observation: Observation): void {
    const { original, counterfactual } = this;
    if (this.done) return;
    this.#served?.add(observation);
    counterfactual.take(observation);
    if (original === null) return;
    original.take(observation);
    if (!original.decided && !counterfactual.decided) return;
    if (this.#served === null) {
      // The first of them was decided with this observation: its verdict is made before the other's next check.
      for (const course of [original, counterfactual]) if (course.decided) course.verdict();
      if (counterfactual.decided) original.goOnAlone();
      this.#served = new Served(observation.t);
      this.#noteDivergence(observation);
    }
    if (this.done) this.#counts = this.#served.counts(observation.t);
  }

  #noteDivergence({ tick, t }: Observation): void {
    const [mine, other] = [this.original, this.counterfactual];
    const a = mine?.ruling;
    const b = other.ruling;
    if (mine == null || a == null || b === null) return;
    const same = a.decision === b.decision && a.reason === b.reason && a.decidedBy === b.decidedBy;
    const [original, counterfactual] = [mine.verdict(), other.verdict()];
    if (same || original === null || counterfactual === null) return;
    this.#divergence = { tick, at: t, original, counterfactual };
  }

  /** First observation at which one policy decides and the other does not, or decides otherwise. */
  get divergence(): CanaryReplay['divergence'] {
    return this.#divergence;
  }

  /** What was served between the two decisions; null unless both were made. */
  get served(): ServedCounts | null {
    return this.#counts;
  }
}

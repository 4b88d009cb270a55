import type { Observation, Policy, Verdict } from '../judge/index.js';
import {
  begin,
  borrowObjectives,
  type Judgement,
  observe,
  type Ruling,
  report,
  rule,
  takeOverObjectives,
  windowBegins,
} from '../judge/index.js';

/** A canary under one policy, observation by observation, until it is decided; the fold of the live judge. */
export class Course {
  readonly #judgement: Judgement;
  #ruling: Ruling | null = null;
  #at: number;
  #final: Verdict | null = null;

  /** @param startedAt begin of the window, ms since the epoch */
  constructor(
    readonly policy: Policy,
    readonly startedAt: number,
  ) {
    this.#judgement = begin(policy, startedAt);
    this.#at = startedAt;
  }

  /** Takes one observation; those after the deciding one are ignored. */
  take(observation: Observation): Ruling {
    if (this.#ruling !== null && this.decided) return this.#ruling;
    observe(this.#judgement, observation);
    this.#at = observation.t;
    this.#ruling = rule(this.#judgement, observation.t);
    return this.#ruling;
  }

  get decided(): boolean {
    return this.#ruling !== null && this.#ruling.decision !== 'continue';
  }

  get ruling(): Ruling | null {
    return this.#ruling;
  }

  /** When it was decided or last checked, ms since the epoch. */
  get at(): number {
    return this.#at;
  }

  /** The verdict, or the interim one; null before the first observation. */
  verdict(): Verdict | null {
    if (this.#final !== null) return this.#final;
    const verdict = this.#ruling === null ? null : report(this.#judgement, this.#ruling, this.#at);
    if (this.decided) this.#final = verdict;
    return verdict;
  }

  /**
   * Computes what both judge alike only once. Both must be fresh, and this one must take each observation after the other.
   * The verdict of the one decided first must be made before the other continues.
   */
  share(other: Course): void {
    borrowObjectives(this.#judgement, other.#judgement);
  }

  /** Ends the sharing: the other course is decided. */
  goOnAlone(): void {
    takeOverObjectives(this.#judgement);
  }
}

/** Latest time at which a policy decides whatever the evidence, ms since the epoch. */
export function latestEnd(policy: Policy, startedAt: number): number {
  const seconds = policy.onInconclusive === 'extend' ? policy.maxWindowSeconds : policy.windowSeconds;
  return windowBegins(policy, startedAt) + seconds * 1000;
}

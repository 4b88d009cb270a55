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
} from '../judge/index.js';

/** A canary's way under one policy, observation by observation, until it is decided; the live judge's own fold. */
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

  /** Takes one observation; none is looked at after the one that decided. */
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

  /** When it was decided, or last looked at, ms since the epoch. */
  get at(): number {
    return this.#at;
  }

  /** How it stands, or was decided; null before the first observation. */
  verdict(): Verdict | null {
    if (this.#final !== null) return this.#final;
    const verdict = this.#ruling === null ? null : report(this.#judgement, this.#ruling, this.#at);
    if (this.decided) this.#final = verdict;
    return verdict;
  }

  /**
   * Computes what both judge alike only once; both are to be fresh, and this one is to take each observation after the
   * other. Of the two whoever is decided first has its verdict made before the other goes on.
   */
  share(other: Course): void {
    borrowObjectives(this.#judgement, other.#judgement);
  }

  /** The other, with which it shares, looks no further. */
  goOnAlone(): void {
    takeOverObjectives(this.#judgement);
  }
}

/** Latest time at which a policy decides whatever the evidence, ms since the epoch. */
export function latestEnd(policy: Policy, startedAt: number): number {
  const seconds = policy.onInconclusive === 'extend' ? policy.maxWindowSeconds : policy.windowSeconds;
  return startedAt + seconds * 1000;
}

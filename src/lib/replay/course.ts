import { begin, type Judgement, observe, type Ruling, rule } from '../judge/judge.js';
import type { Observation } from '../judge/observation.js';
import type { Policy } from '../judge/policy.js';
import { report } from '../judge/report.js';
import type { Verdict } from '../judge/verdict.js';

/** A canary's way under one policy, observation by observation, until it is decided; the live judge's own fold. */
export class Course {
  readonly #judgement: Judgement;
  #ruling: Ruling | null = null;
  #at: number;

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
    return this.#ruling === null ? null : report(this.#judgement, this.#ruling, this.#at);
  }
}

/** Latest time at which a policy decides whatever the evidence, ms since the epoch. */
export function latestEnd(policy: Policy, startedAt: number): number {
  const seconds = policy.onInconclusive === 'extend' ? policy.maxWindowSeconds : policy.windowSeconds;
  return startedAt + seconds * 1000;
}

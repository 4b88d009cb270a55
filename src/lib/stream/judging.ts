import { begin, type Glance, glance, type Judgement, type Observation, observe, rule } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { foldCanary } from '../readings/index.js';

/** What the log is asked for. */
export type JudgedSource = Pick<Ledger, 'events' | 'observations'>;

/** Canaries whose judgement is kept; the least recently used is read again when it is asked for. */
const MOST = 1024;

const BEGINNING = ['canary.requested', 'canary.started'] as const;

interface Judged {
  judgement: Judgement;
  newest: Glance;
}

/** How canaries stand, folded by the judge from what is recorded, check by check. */
export class Judging {
  readonly #source: JudgedSource;
  /** Least recently used first. One at a time works on a canary: the promise is of whoever came last. */
  readonly #judged = new Map<string, Promise<Judged | null>>();

  constructor(source: JudgedSource) {
    this.#source = source;
  }

  /**
   * How a canary stands after an observation that is recorded.
   * @returns null when it cannot be said any more: later ones have been folded, or earlier ones were pruned
   */
  async after(canaryId: string, observation: Observation): Promise<Glance | null> {
    const judged = await this.#next(canaryId, async (known) => {
      if (known === null) return this.#read(canaryId);
      if (observation.tick === (known.judgement.last?.tick ?? -1) + 1) return fold(known.judgement, [observation]);
      return observation.tick > known.newest.tick ? this.#read(canaryId) : known;
    });
    return judged?.newest.tick === observation.tick ? judged.newest : null;
  }

  /** How a canary stands now, by all that is recorded; null before its first check, or where the first ones were pruned. */
  async newest(canaryId: string): Promise<Glance | null> {
    const judged = await this.#next(canaryId, async (known) => {
      if (known === null) return this.#read(canaryId);
      const more = await this.#source.observations(canaryId, known.newest.tick);
      return more.length === 0 ? known : fold(known.judgement, more);
    });
    return judged?.newest ?? null;
  }

  /** Of a canary that has ended: nothing is folded any more. */
  forget(canaryId: string): void {
    this.#judged.delete(canaryId);
  }

  async #next(
    id: string,
    work: (known: Judged | null) => Promise<Judged | null> | Judged | null,
  ): Promise<Judged | null> {
    const before = this.#judged.get(id) ?? Promise.resolve(null);
    // One that failed has left nothing: whoever comes next reads anew.
    const next = before.catch(() => null).then(work);
    this.#judged.delete(id);
    this.#judged.set(id, next);
    if (this.#judged.size > MOST)
      for (const oldest of this.#judged.keys()) {
        this.#judged.delete(oldest);
        break;
      }
    return next;
  }

  async #read(id: string): Promise<Judged | null> {
    const canary = foldCanary(await this.#source.events({ subject: id, kinds: BEGINNING }));
    if (canary === null || canary.startedAt === null) return null;
    const observations = await this.#source.observations(id);
    if (observations[0]?.tick !== 0) return null;
    return fold(begin(canary.policy, canary.startedAt), observations);
  }
}

function fold(judgement: Judgement, observations: readonly Observation[]): Judged {
  for (const observation of observations) observe(judgement, observation);
  const now = judgement.last?.t ?? judgement.startedAt;
  return { judgement, newest: glance(judgement, rule(judgement, now), now) };
}

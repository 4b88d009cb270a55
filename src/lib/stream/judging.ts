import {
  begin,
  type Glance,
  glance,
  type Judgement,
  type Observation,
  observe,
  report,
  rule,
  type Verdict,
} from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { parsed } from '../ledger/sqlite/index.js';
import { foldCanary } from '../readings/index.js';
import { Turns } from '../turns.js';

/** What the log is asked for. */
export type JudgedSource = Pick<Ledger, 'events' | 'observationPage'>;

/** Canaries whose judgement is kept; the least recently used is read again when it is asked for. */
const MOST = 1024;

const BEGINNING = ['canary.requested', 'canary.started'] as const;

/**
 * How canaries stand, folded by the judge from what is recorded. Those who follow one ask again and again: what was judged is
 * kept, and only what was recorded since is added.
 */
export class Judging {
  readonly #source: JudgedSource;
  /** Least recently used first. One at a time works on a canary: the promise is of whoever came last. */
  readonly #judgements = new Map<string, Promise<Judgement | null>>();

  constructor(source: JudgedSource) {
    this.#source = source;
  }

  /**
   * How a canary stands after an observation that is recorded.
   * @returns null when it cannot be said any more: later ones have been folded, or earlier ones were pruned
   */
  async after(canaryId: string, observation: Observation): Promise<Glance | null> {
    const judgement = await this.#next(canaryId, async (known) => {
      const next = (known?.last?.tick ?? -1) + 1;
      if (known === null || observation.tick > next) return this.#caughtUp(canaryId, known);
      if (observation.tick === next) observe(known, observation);
      return known;
    });
    return judgement?.last?.tick === observation.tick ? shown(judgement, glance) : null;
  }

  /** How a canary stands now, by all that is recorded; null before its first check, or where the first ones were pruned. */
  async newest(canaryId: string): Promise<Glance | null> {
    return shown(await this.#now(canaryId), glance);
  }

  /** The same with all that an explanation shows. */
  async verdict(canaryId: string): Promise<Verdict | null> {
    return shown(await this.#now(canaryId), report);
  }

  #now(id: string): Promise<Judgement | null> {
    return this.#next(id, (known) => this.#caughtUp(id, known));
  }

  async #next(id: string, work: (known: Judgement | null) => Promise<Judgement | null>): Promise<Judgement | null> {
    const before = this.#judgements.get(id) ?? Promise.resolve(null);
    // One that failed has left nothing: whoever comes next reads anew.
    const next = before.catch(() => null).then(work);
    this.#judgements.delete(id);
    this.#judgements.set(id, next);
    const [oldest] = this.#judgements.keys();
    if (this.#judgements.size > MOST && oldest !== undefined) this.#judgements.delete(oldest);
    return next;
  }

  async #caughtUp(id: string, known: Judgement | null): Promise<Judgement | null> {
    const judgement = known ?? (await this.#begun(id));
    if (judgement === null) return null;
    const turns = new Turns();
    for (;;) {
      const last = judgement.last?.tick ?? -1;
      const page = await this.#source.observationPage(id, last);
      if (page.length === 0) return judgement;
      if (last === -1 && page[0]?.tick !== 0) return null;
      for (const { body } of page) observe(judgement, parsed<Observation>(body, `an observation of ${id}`));
      await turns.next();
    }
  }

  async #begun(id: string): Promise<Judgement | null> {
    const canary = foldCanary(await this.#source.events({ subject: id, kinds: BEGINNING }));
    return canary?.startedAt == null ? null : begin(canary.policy, canary.startedAt);
  }
}

function shown<T>(judgement: Judgement | null, as: (j: Judgement, ruling: ReturnType<typeof rule>, now: number) => T) {
  const last = judgement?.last;
  return judgement && last ? as(judgement, rule(judgement, last.t), last.t) : null;
}

import { begin, type Judgement, type Observation, observe, report, rule, type Verdict } from '../judge/index.js';
import type { Ledger } from '../ledger/index.js';
import { parsed } from '../ledger/sqlite/index.js';
import type { Canary } from '../readings/index.js';
import { Turns } from '../turns.js';
import { intactCanary } from './load.js';

/** Canaries that are kept: more are rarely watched at a time, and one that is not kept is judged from its begin. */
const KEPT = 64;

interface Known {
  judgement: Judgement;
  /** Of the newest observation that it holds. */
  tick: number;
}

/**
 * How canaries stand that nobody has decided yet. Those who follow one ask again and again: what was judged is kept, and only
 * what was recorded since is added.
 */
export class Standings {
  readonly #known = new Map<string, Known>();
  /** One call at a time for each canary: two would add the same observation twice. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(private readonly ledger: Ledger) {}

  /**
   * A canary with the verdict that decided it, or how it stands by what was last recorded.
   * @throws LukhasError NOT_FOUND; LEDGER_CORRUPT when an entry does not give the hash beside it
   */
  now(id: string): Promise<{ canary: Canary; verdict: Verdict | null }> {
    const asked = (this.#turns.get(id) ?? Promise.resolve()).then(() => this.#now(id));
    const settled = asked
      .catch(() => undefined)
      .then(() => {
        if (this.#turns.get(id) === settled) this.#turns.delete(id);
      });
    this.#turns.set(id, settled);
    return asked;
  }

  async #now(id: string): Promise<{ canary: Canary; verdict: Verdict | null }> {
    const canary = await intactCanary(this.ledger, id);
    const known = this.#known.get(id);
    this.#known.delete(id);
    if (canary.verdict !== null || canary.startedAt === null) return { canary, verdict: canary.verdict };
    const standing = known ?? { judgement: begin(canary.policy, canary.startedAt), tick: -1 };
    const turns = new Turns();
    for (let page = await this.#after(id, standing); page.length > 0; page = await this.#after(id, standing)) {
      for (const { tick, body } of page) {
        observe(standing.judgement, parsed<Observation>(body, `an observation of ${id}`));
        standing.tick = tick;
      }
      await turns.next();
    }
    this.#keep(id, standing);
    const { last } = standing.judgement;
    return { canary, verdict: last && report(standing.judgement, rule(standing.judgement, last.t), last.t) };
  }

  #after(id: string, { tick }: Known) {
    return this.ledger.observationPage(id, tick);
  }

  /** As the newest: the one that was not asked for the longest goes first. */
  #keep(id: string, standing: Known): void {
    this.#known.set(id, standing);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEPT && oldest !== undefined) this.#known.delete(oldest);
  }
}

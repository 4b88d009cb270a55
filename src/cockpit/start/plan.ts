import { seconds } from '../../lib/explain/index.js';
import { post, Refused } from '../ask.js';
import { button, h, replace } from '../dom.js';

/** As MCP's `plan` answers; what is shown of it. */
interface Plan {
  decidable: boolean;
  requestsPerSecond: number;
  warmupSeconds: number;
  objectives: { promotion: { likelyRequests: number | null; seconds: number | null } }[];
  says: string[];
}

export interface Asked {
  requestsPerSecond: number;
  targets: Record<string, number>;
  windowSeconds?: number;
}

/** Asked when nothing was typed for so long. */
const QUIET_MS = 300;

/** Whether the traffic is enough, asked of the daemon while somebody types: the newest question alone is answered. */
export class PlanPanel {
  readonly element: HTMLElement;
  readonly #answer = h('div', { role: 'status' });
  #timer = 0;
  #abort: AbortController | null = null;

  /** @param wanted puts another window into the form @param refused says at its field what is wrong */
  constructor(
    private readonly wanted: (windowSeconds: number) => void,
    private readonly refused: (error: Refused) => void,
  ) {
    this.element = h('section', { class: 'plan', 'aria-label': 'Plan' }, h('h2', {}, 'Plan'), this.#answer);
  }

  /** @param asked words: what is missing before anything can be asked */
  update(asked: Asked | string): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    if (typeof asked === 'string') replace(this.#answer, h('p', { class: 'quiet' }, asked));
    else this.#timer = window.setTimeout(() => void this.#ask(asked), QUIET_MS);
  }

  async #ask(asked: Asked): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const plan = await post<Plan>('/api/plan', asked, { signal: abort.signal });
      if (!abort.signal.aborted && plan !== null) this.#show(plan);
    } catch (error) {
      if (abort.signal.aborted) return;
      const text = error instanceof Refused ? error.message : 'The daemon does not answer: no plan.';
      replace(this.#answer, h('p', { class: 'warn' }, text));
      if (error instanceof Refused) this.refused(error);
    }
  }

  #show({ decidable, objectives, requestsPerSecond, warmupSeconds, says }: Plan): void {
    const longest = Math.max(0, ...objectives.map(({ promotion }) => promotion.seconds ?? 0)) + warmupSeconds;
    const needs = Math.max(...objectives.map(({ promotion }) => promotion.likelyRequests ?? Number.POSITIVE_INFINITY));
    const enough = Math.ceil(needs / requestsPerSecond / 60) * 60;
    const headline =
      decidable && objectives.length > 0
        ? h('p', { class: 'headline good' }, `✓ Can be decided in about ${seconds(longest)} at this traffic.`)
        : h('p', { class: 'headline warn' }, objectives.length === 0 ? says[0] : `! ${says[0]}`);
    replace(
      this.#answer,
      headline,
      !decidable &&
        Number.isFinite(enough) &&
        h(
          'p',
          {},
          button(`Use a window of ${seconds(enough)}`, () => this.wanted(enough)),
        ),
      h(
        'ul',
        { class: 'says' },
        says
          .slice(headline.classList.contains('good') ? 0 : 1)
          .map((line) => h('li', { class: line.startsWith(' ') && 'deeper' }, line.trim())),
      ),
    );
  }
}

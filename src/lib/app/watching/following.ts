import { type Overview, type OverviewJson, overviewOf, type Told, take } from '../../view/index.js';
import type { Connection } from './watching.js';

/** Called with what came in; with nothing when the connection changed, or lists were read afresh. */
export type Changed = (events: readonly Told[]) => void;

/** What is followed, and how that stands: the part that following a log and following a daemon have in common. */
export class Followed {
  readonly connection: Connection = { state: 'connecting', heardAt: null, problem: null };
  /** Whether the lists were read. */
  isRead = false;

  constructor(readonly overview: Overview) {}

  /** Lists that were read afresh take the place of what was there. */
  replace(lists: OverviewJson): void {
    Object.assign(this.overview, overviewOf(lists));
    this.isRead = true;
  }

  /** Takes events in, in their order. */
  take(events: readonly Told[], changed: Changed): void {
    for (const event of events) take(this.overview, event);
    if (events.length > 0) changed(events);
  }

  live(changed: Changed): void {
    this.#turn('live', null, changed);
  }

  /** @param problem why nothing can be believed to be up to date, in words */
  stale(problem: string, changed: Changed): void {
    this.#turn(this.isRead ? 'stale' : 'connecting', problem, changed);
  }

  refused(problem: string, changed: Changed): void {
    this.#turn('refused', problem, changed);
  }

  #turn(state: Connection['state'], problem: string | null, changed: Changed): void {
    const { connection } = this;
    if (connection.state === state && connection.problem === problem) return;
    connection.state = state;
    connection.problem = problem;
    changed([]);
  }
}

import type { Missing } from '../../judge/index.js';
import type { Fall } from './compare.js';
import type { OtherLine } from './cursor.js';
import type { ProcessLook } from './processes.js';

/** So many looks in a row have to be answered by one process before it is believed to be alone. */
export const QUIET_LOOKS = 5;

/** What a process's counters of this look mean. Decision 22 tells the rules and their reasons. */
export interface Verdict {
  /**
   * `count`: the differences from the last look; `zero`: everything, it began since then; `start`: nothing, a starting
   * point; `held`: they fell, perhaps by a restart, the next look tells; `confirm`: it was one; `again`: it was one, and
   * now comes the next; `break`: nothing can be said of this look, and it is a new starting point.
   */
  kind: 'count' | 'zero' | 'start' | 'held' | 'confirm' | 'again' | 'break';
  /** Of `held` and `break`: why nothing is counted. */
  missing?: Missing;
  /** Whether counters fell. */
  reset?: true;
  restart?: true;
  /** Of `count`: the differences not from the last look but from this earlier line, as what came after it waited. */
  since?: OtherLine;
  /** What waited is not known to be its own, and will never count. */
  dropped?: true;
  /** Earlier line to remember. */
  other?: OtherLine;
  turn?: number;
}

export function broken(state: 'unstable' | 'implausible', detail: string): Verdict {
  return { kind: 'break', missing: { state, detail } };
}

export function inTurn({ shown }: ProcessLook): Verdict {
  return broken('unstable', `two processes answer in turn at ${shown}`);
}

export function tooMuch({ shown }: ProcessLook, rise: number, elapsed: number): Verdict {
  return broken('implausible', `a counter of ${shown} rose by ${rise} in ${elapsed / 1000} s`);
}

export function fallText({ name, from, to }: Fall): string {
  return `${name} fell from ${from} to ${to}`;
}

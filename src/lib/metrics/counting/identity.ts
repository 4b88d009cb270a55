import { type Comparison, compare, compareCreated, highestNow } from './compare.js';
import { elapsedSince, type ProcessCursor } from './cursor.js';
import { namelessVerdict } from './nameless.js';
import type { Plan } from './plan.js';
import type { ProcessLook } from './processes.js';
import { broken, fallText, inTurn, QUIET_LOOKS, tooMuch, type Verdict } from './verdict.js';

export interface Surroundings {
  plan: Plan;
  /** The first look of all, milliseconds since the epoch. */
  begin: number;
  at: number;
}

const START_NOISE_MS = 1000;
/** No process serves more in a millisecond. */
const MOST_PER_MS = 100;

export function judgeProcess(look: ProcessLook, before: ProcessCursor | undefined, around: Surroundings): Verdict {
  if (before === undefined) return firstVerdict(look, around);
  const elapsed = elapsedSince(before, look.time);
  const compared = compare(before, look, around.plan);
  if (look.startedAt !== undefined && before.startedAt !== undefined)
    return verdictByStart(look, before, compared, elapsed, around);
  const created = compareCreated(before.created, look);
  if (created === 'anew' || created === 'older' || (before.turn !== undefined && look.created.size > 0))
    return verdictByStart(look, before, compared, elapsed, around);
  return namelessVerdict(look, before, compared, elapsed, around.plan);
}

function firstVerdict(look: ProcessLook, around: Surroundings): Verdict {
  const start = firstSeenStart(look);
  if (start === undefined || !beganWithin(start, around)) return { kind: 'start' };
  const [highest, elapsed] = [highestNow(look), Math.max(1000, around.at - start)];
  return highest > MOST_PER_MS * elapsed ? tooMuch(look, highest, elapsed) : { kind: 'zero' };
}

/** When a process began, as far as it or its series say: milliseconds since the epoch. */
export function startOf({ startedAt, created }: ProcessLook): number | undefined {
  return startedAt ?? earliest(created.values());
}

export function startBefore({ startedAt, created }: ProcessCursor): number | undefined {
  return startedAt ?? earliest(Object.values(created ?? {}));
}

function earliest(times: Iterable<number>): number | undefined {
  let first: number | undefined;
  for (const time of times) if (first === undefined || time < first) first = time;
  return first;
}

/** Series alone say when they began only if all of them do. */
function firstSeenStart(look: ProcessLook): number | undefined {
  if (look.startedAt !== undefined) return look.startedAt;
  const histograms = look.histograms.reduce((all, found) => all + (found instanceof Map ? found.size : 1), 0);
  return look.created.size === look.series.size + histograms ? startOf(look) : undefined;
}

/** A start after this look is a clock that is wrong; at the first look all is a starting point. */
function beganWithin(startedAt: number | undefined, { begin, at }: Surroundings): boolean {
  return at > begin && startedAt !== undefined && startedAt > begin && startedAt <= at + START_NOISE_MS;
}

/** Its start tells one process from another. */
function verdictByStart(
  look: ProcessLook,
  before: ProcessCursor,
  { fell, rise }: Comparison,
  elapsed: number,
  around: Surroundings,
): Verdict {
  const [now, then] = [startOf(look)!, startBefore(before)!];
  const near = (start: number): boolean => Math.abs(start - now) <= START_NOISE_MS;
  const same = near(then) && !(fell !== null && now > before.seen);
  const { turn } = before;
  if (!same && before.former.some(near)) return { ...inTurn(look), turn: 0 };
  if (turn !== undefined) {
    const quiet = same ? turn + 1 : 0;
    return quiet >= QUIET_LOOKS ? inTurn(look) : { ...inTurn(look), turn: quiet };
  }
  if (same) {
    if (fell !== null) return { ...broken('unstable', `${fallText(fell)} without a restart`), reset: true };
    return rise > MOST_PER_MS * elapsed ? tooMuch(look, rise, elapsed) : { kind: 'count' };
  }
  if (now > then && beganWithin(now, around)) {
    // Beside what stood there before, also of series that say that they were made anew.
    const { fell, rise, highest } = compare({ ...before, created: undefined }, look, around.plan);
    // Before there is a rate, ten a millisecond: what counts on just above where it stood says nothing else of its age.
    const age = Math.max(1, around.at - now);
    const most = before.rate === null ? Math.max(2 * rise + 100, 10 * age + 1000) : 10 * before.rate * age + 100;
    if (fell !== null || highest <= most) return { kind: 'zero', reset: true, restart: true };
    return broken('unstable', `${look.shown} says that it restarted, but its counters count on`);
  }
  return broken('unstable', `another process answers at ${look.shown}, its counts start here`);
}

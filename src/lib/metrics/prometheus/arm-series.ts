import type { SeenArm } from './look.js';
import { withoutNative } from './native.js';
import type { ApiAnswer, ApiSeries } from './parse.js';
import { type Place, placesOf } from './places.js';
import { belongsTo, type QueryPlan } from './queries.js';

/** What was read for each arm, in the order of the arms. */
interface ArmsRead {
  series: ApiSeries[][];
  places: Map<string, Place>[];
}

type Seen = Pick<SeenArm, 'seen'>;

/**
 * Up to when every place of all arms has been read, ms since the epoch: earlier samples tell nothing new.
 * @param before where each arm stood at the last look
 * @returns undefined where an arm has not been read yet
 */
export function newestRead(before: readonly (Seen | null)[]): number | undefined {
  const times = before.map((arm) => Object.values(arm?.seen ?? {}));
  return times.every((own) => own.length > 0) ? Math.min(...times.flat()) : undefined;
}

/**
 * Series of each arm, by place.
 * @param answers to the queries of the plan, all of them with series
 * @param whole whether series keep `job` and `instance`
 */
export function armsIn(
  answers: readonly ApiAnswer[],
  queries: QueryPlan,
  before: readonly (Seen | null)[],
  whole: boolean,
): ArmsRead {
  const read = grouped(answers, queries, whole);
  // Of a place that is new to an arm all samples tell something.
  const isKnown = read.places.every((places, arm) =>
    [...places.values()].every(({ id, tracks }) => tracks.length === 0 || before[arm]?.seen[id] !== undefined),
  );
  if (isKnown) return read;
  return grouped(
    answers.map((answer) => (answer.ok && 'series' in answer ? (answer.whole?.() ?? answer) : answer)),
    queries,
    whole,
  );
}

function grouped(answers: readonly ApiAnswer[], queries: QueryPlan, whole: boolean): ArmsRead {
  const found = answers.map((answer) => ('series' in answer ? answer.series : []));
  const series = queries.arms.map((parts) =>
    parts.flatMap((part) => found[part.query]!.filter((one) => belongsTo(part, one))),
  );
  const places = series.map((own, arm) => {
    const once = queries.arms[arm]!.some(({ overlaps }) => overlaps);
    return placesOf(withoutNative(own), { once, whole });
  });
  return { series, places };
}

import { numberOf, type Place, type Track, timeOf } from './places.js';

/** Clocks are corrected; a process that starts anew is later by more. */
const SAME_START_SECONDS = 2;

/**
 * Times at which to look in between, so that what happened since the last look is seen in its order: before and after each
 * fall of a counter and each new start of a process (and once more, as only that shows a restart), at the first sample of
 * a new series and the last one of a series that has ended. Milliseconds since the epoch, rising.
 * @param seen up to when the last look saw each place, by id
 * @param gauge name of the series that may fall
 */
export function stepsWithin(
  places: Iterable<Place>,
  seen: Readonly<Record<string, number>>,
  gauge: string | null,
): number[] {
  const steps = new Set<number>();
  for (const place of places) {
    const known = seen[place.id] ?? Number.NEGATIVE_INFINITY;
    for (const track of place.tracks) if (track.name !== gauge) addTrack(track, known, steps);
    for (const { samples } of place.started) {
      addTurns(samples, known, steps, (now, before) => Math.abs(now - before) > SAME_START_SECONDS);
    }
  }
  return [...steps].sort((a, b) => a - b);
}

function addTrack({ samples, newest, ended }: Track, seen: number, steps: Set<number>): void {
  if (newest <= seen) return;
  addTurns(samples, seen, steps, (now, before) => now < before);
  const first = timeOf(samples[0]);
  if (first > seen && first < newest) steps.add(first);
  if (ended) steps.add(newest);
}

/** Adds the times around each sample that `turns` from the one before it. */
function addTurns(
  samples: Track['samples'],
  seen: number,
  steps: Set<number>,
  turns: (now: number, before: number) => boolean,
): void {
  for (let i = samples.length - 1; i > 0 && timeOf(samples[i]) > seen; i--) {
    const before = samples[i - 1]!;
    if (!turns(numberOf(samples[i]![1]), numberOf(before[1]))) continue;
    if (timeOf(before) > seen) steps.add(timeOf(before));
    steps.add(timeOf(samples[i]));
    if (i + 1 < samples.length) steps.add(timeOf(samples[i + 1]));
  }
}

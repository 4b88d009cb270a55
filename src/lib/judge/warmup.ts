import type { ArmReading, Observation } from './observation.js';
import type { Policy } from './policy.js';

/** Begin of the window of a canary that started at `startedAt`: the end of its warm-up. Both ms since the epoch. */
export function windowBegins(policy: Policy, startedAt: number): number {
  return startedAt + (policy.warmupSeconds ?? 0) * 1000;
}

/**
 * What of a look belongs to the window. Counts that began in the warm-up cannot be split: they are a starting point, as
 * at a first look. Readings without counts are of the moment.
 * @returns null for a look that was taken before the window
 */
export function inWindow(observation: Observation, begins: number): Observation | null {
  if (observation.t <= begins) return null;
  if (observation.from >= begins) return observation;
  const { canary, baseline, ...rest } = observation;
  const arms = {
    canary: startingPoint(canary),
    ...(baseline === undefined ? {} : { baseline: startingPoint(baseline) }),
  };
  return { ...rest, from: begins, ...arms };
}

function startingPoint(arm: ArmReading): ArmReading {
  const { resets: _, restarts: __, ...rest } = arm;
  const point = { ...rest };
  for (const name of ['errors', 'latency', 'score', 'categories'] as const)
    if (point[name]?.state === 'ok') point[name] = { state: 'first' };
  if (point.histograms !== undefined)
    point.histograms = Object.fromEntries(
      Object.entries(point.histograms).map(([name, signal]) => [
        name,
        signal.state === 'ok' ? { state: 'first' } : signal,
      ]),
    );
  return point;
}

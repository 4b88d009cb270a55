import { LukhasError } from '../errors.js';
import type { Observation, Policy } from '../judge/index.js';
import { outcomeSteps } from './outcome-under.js';
import type { Recording } from './recording.js';
import type { Outcome, Sweep } from './result.js';
import { atOnce, type Steps } from './steps.js';
import type { Axis } from './sweep-axes.js';

interface Judged extends Pick<Recording, 'own' | 'startedAt' | 'askedByOwn'> {
  observations: readonly Observation[];
}

interface End {
  value: number;
  outcome: Outcome;
}

/**
 * Where the outcome changes between neighbouring values of the axis, bisected until no value of 12 significant digits
 * lies between `below` and `above`. A change that is undone between two neighbours is not seen.
 * @param outcomes of the axis' values, in their order
 */
export function flipPoints(
  axis: Axis,
  outcomes: readonly Outcome[],
  judged: Judged,
  policyAt: (value: number) => Policy,
): Sweep['flipPoints'] {
  return atOnce(flipSteps(axis, outcomes, judged, policyAt));
}

/** The same, step by step. */
export function* flipSteps(
  axis: Axis,
  outcomes: readonly Outcome[],
  judged: Judged,
  policyAt: (value: number) => Policy,
): Steps<Sweep['flipPoints']> {
  const outcomeAt = function* (value: number): Steps<Outcome | null> {
    const policy = policyOrNull(policyAt, value);
    return policy && (yield* outcomeSteps(policy, judged, judged.observations));
  };
  const ends = axis.values.flatMap((value, i): End[] => {
    const outcome = outcomes[i];
    return outcome === undefined ? [] : [{ value, outcome }];
  });
  const found: Sweep['flipPoints'] = [];
  for (const [i, above] of ends.slice(1).entries())
    found.push(...(yield* between(ends[i] as End, above, axis.path, outcomeAt)));
  return found;
}

/** Null for a value that makes no valid policy, e.g. half a check for a key that takes whole numbers. */
function policyOrNull(policyAt: (value: number) => Policy, value: number): Policy | null {
  try {
    return policyAt(value);
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'POLICY') return null;
    throw error;
  }
}

type OutcomeAt = (value: number) => Steps<Outcome | null>;

function* between(below: End, above: End, path: string, outcomeAt: OutcomeAt): Steps<Sweep['flipPoints']> {
  if (below.outcome === above.outcome) return [];
  const middle = yield* inTheMiddle(below.value, above.value, outcomeAt);
  if (middle === null) {
    return [{ path, below: below.value, above: above.value, from: below.outcome, to: above.outcome }];
  }
  const lower = yield* between(below, middle, path, outcomeAt);
  return [...lower, ...(yield* between(middle, above, path, outcomeAt))];
}

/** A value strictly between, of 12 significant digits or whole; null when none makes a valid policy. */
function* inTheMiddle(below: number, above: number, outcomeAt: OutcomeAt): Steps<End | null> {
  const half = below + (above - below) / 2;
  for (const value of [Number(half.toPrecision(12)), Math.round(half)]) {
    if (value <= below || value >= above) continue;
    const outcome = yield* outcomeAt(value);
    if (outcome !== null) return { value, outcome };
  }
  return null;
}

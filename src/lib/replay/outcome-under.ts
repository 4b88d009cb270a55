import type { Observation, Policy } from '../judge/index.js';
import { Course } from './course.js';
import type { Recording } from './recording.js';
import type { Outcome } from './result.js';
import { SignalCheck } from './signals.js';
import { atOnce, type Steps } from './steps.js';

type Recorded = Pick<Recording, 'own' | 'startedAt' | 'askedByOwn'>;

/** Observations that are judged in one step. */
const STEP = 64;

/** What a policy decides on observations in memory; the same as `replayCanary`, without the details. */
export function outcomeUnder(policy: Policy, recorded: Recorded, observations: readonly Observation[]): Outcome {
  return atOnce(outcomeSteps(policy, recorded, observations));
}

/** The same, step by step. */
export function* outcomeSteps(
  policy: Policy,
  { own, startedAt, askedByOwn }: Recorded,
  observations: readonly Observation[],
): Steps<Outcome> {
  const other = atRecordedLooks(policy, own);
  const signals = new SignalCheck(other, askedByOwn === false ? null : own);
  for (const observation of observations) {
    if (signals.answered) break;
    signals.see(observation);
  }
  if (!signals.answered) return 'insufficient';
  const course = new Course(other, startedAt);
  for (const [i, observation] of observations.entries()) {
    if (i % STEP === STEP - 1) yield;
    const { decision } = course.take(observation);
    if (decision !== 'continue') return decision;
  }
  return 'insufficient';
}

/** A replay uses the recorded checks, whatever another policy's interval is. */
export function atRecordedLooks(policy: Policy, own: Policy | null): Policy {
  if (own === null || policy.intervalSeconds === own.intervalSeconds) return policy;
  return { ...policy, intervalSeconds: own.intervalSeconds };
}

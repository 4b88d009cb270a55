import { type Coverage, coverage, missingInWords, noteData, noteMissing } from '../coverage.js';
import type { Missing, Observation, ScalarSignal } from '../observation.js';
import type { CustomObjective, Policy } from '../policy.js';
import type { ReadingReport } from '../verdict.js';

/** An objective over a scalar without counts: judged reading by reading. */
export interface ReadingObjective {
  type: 'reading';
  rule: CustomObjective;
  coverage: Coverage;
  readings: number;
  missed: number;
  failing: number;
  consecutiveFailing: number;
  /** The limit was reached at some tick: it stays so. */
  against: boolean;
  last: number | null;
  /** What it lacks at a look without such a reading. */
  absent: Missing;
}

export function readingObjective(rule: CustomObjective): ReadingObjective {
  return {
    type: 'reading',
    rule,
    coverage: coverage(),
    readings: 0,
    missed: 0,
    failing: 0,
    consecutiveFailing: 0,
    against: false,
    last: null,
    absent: { state: 'absent', detail: `no reading named ${rule.name}` },
  };
}

/** `gap`: ticks that nobody looked at since the previous observation. */
export function stepReading(o: ReadingObjective, observation: Observation, gap: number, policy: Policy): void {
  o.missed += gap;
  const signal = signalOf(observation, o.rule.name) ?? o.absent;
  if (signal.state !== 'ok') {
    // The first look comes before the window has begun: its silence is no hole in it.
    if (observation.tick > 0) o.missed++;
    noteMissing(o.coverage, observation, signal);
    return;
  }
  noteData(o.coverage, observation, null, policy);
  o.readings++;
  o.last = signal.value;
  if (holds(o.rule, signal.value)) {
    o.consecutiveFailing = 0;
    return;
  }
  o.failing++;
  o.consecutiveFailing++;
  if (o.consecutiveFailing >= policy.maxConsecutiveFailures) o.against = true;
}

function signalOf({ scalars }: Observation, name: string): ScalarSignal | undefined {
  return scalars !== undefined && Object.hasOwn(scalars, name) ? scalars[name] : undefined;
}

function holds(rule: CustomObjective, value: number): boolean {
  switch (rule.op) {
    case '<':
      return value < rule.value;
    case '<=':
      return value <= rule.value;
    case '>':
      return value > rule.value;
    case '>=':
      return value >= rule.value;
  }
}

/** Forgiven in a product of a share and a count, which may come out a little too small. */
const HAIR = 1e-9;

/** The newest reading must pass, and no more may have failed or be missing than the policy allows. */
export function readingMet(o: ReadingObjective, { maxFailures, maxMissing }: Policy): boolean {
  if (o.readings === 0 || o.consecutiveFailing > 0) return false;
  if (o.failing > o.readings * (maxFailures ?? 1) + HAIR) return false;
  return o.missed <= (o.readings + o.missed) * (maxMissing ?? 0) + HAIR;
}

export function readingReport(o: ReadingObjective, policy: Policy): ReadingReport {
  return {
    type: 'reading',
    name: o.rule.name,
    rule: o.rule,
    hasData: o.coverage.hasData,
    missing: missingInWords(o.coverage.missing),
    last: o.last,
    readings: o.readings,
    missed: o.missed,
    failing: o.failing,
    consecutiveFailing: o.consecutiveFailing,
    limit: policy.maxConsecutiveFailures,
    ...(policy.maxFailures === undefined || policy.maxMissing === undefined
      ? {}
      : { allowed: { failing: policy.maxFailures, missing: policy.maxMissing } }),
    met: readingMet(o, policy),
    against: o.against,
  };
}

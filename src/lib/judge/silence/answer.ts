import type { ArmReading, Missing } from '../observation.js';

/** Whether the places of an arm answered a look. */
export interface Answer {
  expected: number;
  up: number;
  why: string;
  /** Whether nothing newer was read than at the look before, as between two scrapes of a Prometheus. */
  unchanged: boolean;
  /** Whether it was inferred from signals. */
  inferred: boolean;
  unreachable: boolean;
}

/** Whether an arm answered; null where nothing tells. */
export function answerOf(arm: ArmReading): Answer | null {
  const signals = signalsOf(arm);
  const missing = signals.filter((signal): signal is Missing => signal.state !== 'ok');
  if (arm.targets !== undefined && arm.targets.expected > 0) {
    const { expected, up, unchanged = false } = arm.targets;
    const why = expected === 1 ? words(missing) : `${expected - up} of ${expected} places did not answer`;
    return { expected, up, why, unchanged, inferred: false, unreachable: up < expected };
  }
  const told = signals.filter(({ state }) => state !== 'no_source');
  if (told.length === 0 || told.some(({ state }) => state === 'ended' || state === 'refused')) return null;
  const down = told.every(({ state }) => state === 'unreachable' || state === 'absent' || state === 'stale');
  const unreachable = down && told.some(({ state }) => state === 'unreachable');
  return { expected: 1, up: down ? 0 : 1, why: words(missing), unchanged: false, inferred: true, unreachable };
}

function signalsOf({ errors, latency, score, categories, histograms = {} }: ArmReading) {
  return [errors, latency, score, categories, ...Object.values(histograms)].filter((signal) => signal !== undefined);
}

/** The first reason that has details, `unreachable` before all others. */
function words(missing: readonly Missing[]): string {
  const found =
    missing.find(({ state }) => state === 'unreachable') ?? missing.find(({ detail }) => detail) ?? missing[0];
  if (found === undefined) return 'no answer';
  return found.detail ? `${found.state}: ${found.detail}` : found.state;
}

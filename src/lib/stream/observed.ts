import type { ArmReading, CategorySignal, HistogramSignal, MissingState, Observation } from '../judge/index.js';
import { quantileWithBucket } from '../judge/index.js';

/**
 * Why a number is null: as recorded, or `not_asked` (no such signal is read), `no_requests` (there were none),
 * `over_window` (drift of recorded scores is computed over the window, not for one check: the verdict has it).
 */
type State = 'ok' | MissingState | 'not_asked' | 'no_requests' | 'over_window';

interface Reading {
  value: number | null;
  state: State;
}

export interface Observed {
  /** Milliseconds, interpolated within its bucket. */
  latency_p95_ms: number | null;
  /** 0..1. */
  error_rate: number | null;
  drift: number | null;
  /** Requests counted since the previous check. */
  requests: number | null;
  states: { latency: State; errors: State; drift: State };
}

/** The readings of one check, for display. A missing number is null, and its state says why. */
export function observedBy(observation: Observation): Observed & { baseline: Observed | null } {
  const { canary, baseline, scalars } = observation;
  const own = arm(canary, (name) => {
    const signal = scalars && Object.hasOwn(scalars, name) ? scalars[name] : undefined;
    if (signal === undefined) return null;
    return signal.state === 'ok' ? known(signal.value) : missing(signal.state);
  });
  return { ...own, baseline: baseline ? arm(baseline, () => null) : null };
}

function arm(reading: ArmReading, scalar: (name: string) => Reading | null): Observed {
  const latency = p95(reading.latency) ?? scalar('latency_p95_ms') ?? missing('not_asked');
  const errors = rate(reading.errors) ?? scalar('error_rate') ?? missing('not_asked');
  const drift = scalar('drift') ?? scores(reading.score ?? reading.categories);
  return {
    latency_p95_ms: latency.value,
    error_rate: errors.value,
    drift: drift.value,
    requests: reading.errors?.state === 'ok' ? reading.errors.total : null,
    states: { latency: latency.state, errors: errors.state, drift: drift.state },
  };
}

function p95(signal: HistogramSignal | undefined): Reading | null {
  if (signal === undefined) return null;
  if (signal.state !== 'ok') return missing(signal.state);
  const { value } = quantileWithBucket(0.95, signal.bounds, signal.counts);
  return value === null ? missing('no_requests') : known(value);
}

function rate(signal: ArmReading['errors']): Reading | null {
  if (signal === undefined) return null;
  if (signal.state !== 'ok') return missing(signal.state);
  return signal.total > 0 ? known(signal.bad / signal.total) : missing('no_requests');
}

function scores(signal: HistogramSignal | CategorySignal | undefined): Reading {
  if (signal === undefined) return missing('not_asked');
  return missing(signal.state === 'ok' ? 'over_window' : signal.state);
}

function known(value: number): Reading {
  return { value: Number(value.toPrecision(6)), state: 'ok' };
}

function missing(state: Exclude<State, 'ok'>): Reading {
  return { value: null, state };
}

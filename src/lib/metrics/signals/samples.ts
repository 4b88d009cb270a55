import type { Missing } from '../../judge/index.js';
import type { Labels } from '../labels.js';

/** One sample of a series, as exposed. */
export interface Sample {
  name: string;
  labels: Labels;
  value: number;
  /** When it was taken, milliseconds since the epoch, if the source says. */
  t?: number;
  /** When the series was created, milliseconds since the epoch (`_created` of OpenMetrics, created timestamps). */
  created?: number;
}

/** One process, as far as a source can tell: a page's address, or an `instance` (and `job`) of Prometheus. */
export interface Target {
  /** Stays the same for the same place, as in `http://10.0.0.7:8080/metrics`; names it in messages. */
  id: string;
  /** Whether it answered in full; otherwise why not: its counters wait, and nothing of them is lost. */
  state: { state: 'ok' } | Missing;
  /** When its process began, milliseconds since the epoch (`process_start_time_seconds`); left out: it does not say. */
  startedAt?: number;
  /** Of all names that the signals ask for; none where it did not answer. */
  samples: readonly Sample[];
}

/** What one look found of one arm. */
export interface ArmSamples {
  /** When the look was taken, milliseconds since the epoch. */
  at: number;
  targets: readonly Target[];
  /** Samples taken before this time (ms since the epoch) do not count; a signal with no others is `stale`. */
  staleBefore?: number;
}

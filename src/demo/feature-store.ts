import { setTimeout as wait } from 'node:timers/promises';
import { ACCOUNT_AGE } from './population.js';
import { logNormal, seededRandom } from './random.js';
import type { Fault } from './service-options.js';

/** Look-up times are log-normal: median 35 ms, p95 90 ms, 3 in 10,000 above 250 ms. */
const LOOKUP = { medianMs: 35, sigma: 0.574 };
const SLOW = { share: 0.4, leastMs: 300, mostMs: 600 };
const ERROR_SHARE = 0.08;
const HOURS_PER_DAY = 24;

interface FeatureStore {
  /** The payment's features in the model's units, after the time a look-up takes. Rejects when the row is missing. */
  lookup(features: readonly number[]): Promise<readonly number[]>;
}

/**
 * Stands for the network store that completes a request's features: the part of a model service where latency,
 * failures and unit mix-ups come from. `faulty` tells whether the fault has begun.
 */
export function openFeatureStore(options: { seed: number; fault: Fault; faulty: () => boolean }): FeatureStore {
  // One stream a purpose and one draw a look-up: the n-th look-up meets the same fate in every run.
  const times = seededRandom(options.seed, 'lookup times');
  const fates = seededRandom(options.seed, 'lookup fates');
  const delays = seededRandom(options.seed, 'lookup delays');
  return {
    async lookup(features) {
      const fate = fates();
      const extra = SLOW.leastMs + (SLOW.mostMs - SLOW.leastMs) * delays();
      const usual = logNormal(times, LOOKUP.medianMs, LOOKUP.sigma);
      const fault = options.faulty() ? options.fault : 'none';
      await wait(fault === 'latency' && fate < SLOW.share ? usual + extra : usual);
      if (fault === 'errors' && fate < ERROR_SHARE) throw new Error('feature store: no row for this card');
      return fault === 'drift' ? withAgeInHours(features) : features;
    },
  };
}

function withAgeInHours(features: readonly number[]): number[] {
  return features.map((value, f) => (f === ACCOUNT_AGE ? value * HOURS_PER_DAY : value));
}

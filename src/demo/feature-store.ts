import { setTimeout as wait } from 'node:timers/promises';
import type { Payment } from './model.js';
import { logNormal, seededRandom } from './random.js';
import type { Fault } from './service-options.js';

/** Lookup times are log-normal: median 35 ms, p95 90 ms, 3 in 10,000 above 250 ms. */
const LOOKUP = { medianMs: 35, sigma: 0.574 };
const SLOW = { share: 0.4, leastMs: 300, mostMs: 600 };
const ERROR_SHARE = 0.08;
const HOURS_PER_DAY = 24;

interface FeatureStore {
  /** Resolves to the payment as the model gets it. Rejects when the lookup fails. */
  lookup(payment: Payment): Promise<Payment>;
}

/**
 * Simulates the network store that a model service reads features from. Latency, errors and wrong units come from here.
 * `faulty` tells whether the fault has begun.
 */
export function openFeatureStore(options: { seed: number; fault: Fault; faulty: () => boolean }): FeatureStore {
  // Each purpose has its own stream, drawn once per lookup, so the n-th lookup is the same in every run of a seed.
  const times = seededRandom(options.seed, 'lookup times');
  const fates = seededRandom(options.seed, 'lookup fates');
  const delays = seededRandom(options.seed, 'lookup delays');
  return {
    async lookup(payment) {
      const fate = fates();
      const extra = SLOW.leastMs + (SLOW.mostMs - SLOW.leastMs) * delays();
      const usual = logNormal(times, LOOKUP.medianMs, LOOKUP.sigma);
      const fault = options.faulty() ? options.fault : 'none';
      await wait(fault === 'latency' && fate < SLOW.share ? usual + extra : usual);
      if (fault === 'errors' && fate < ERROR_SHARE) throw new Error('feature store: no row for this card');
      // Hours where the model expects days: every account looks 24 times as old, so scores fall.
      return fault === 'drift' ? { ...payment, accountAgeDays: payment.accountAgeDays * HOURS_PER_DAY } : payment;
    },
  };
}

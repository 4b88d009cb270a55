import { z } from 'zod';
import { logNormal, type Random } from './random.js';

/** What a request says about a card payment. */
export const paymentSchema = z.strictObject({
  amountEur: z.number().min(0),
  /** From the place of the card's previous payment. */
  distanceKm: z.number().min(0),
  accountAgeDays: z.number().min(0),
});

export type Payment = z.infer<typeof paymentSchema>;

export function drawPayment(random: Random): Payment {
  return {
    amountEur: logNormal(random, 40, 1.1),
    distanceKm: logNormal(random, 8, 1.4),
    accountAgeDays: logNormal(random, 600, 1.2),
  };
}

/** The formula's constants, by release. They differ a little, as those of two versions of one model do. */
export const WEIGHTS = {
  baseline: { base: -2, amount: 0.8, distance: 0.5, age: -0.5 },
  canary: { base: -2, amount: 0.82, distance: 0.48, age: -0.5 },
} as const;

/**
 * Fraud score between 0 and 1, higher is more suspicious: the logistic function of
 * `base + amount * ln(1 + EUR) + distance * ln(1 + km) + age * ln(1 + days)`.
 */
export function score(release: keyof typeof WEIGHTS, payment: Payment): number {
  const { base, amount, distance, age } = WEIGHTS[release];
  const logit =
    base +
    amount * Math.log1p(payment.amountEur) +
    distance * Math.log1p(payment.distanceKm) +
    age * Math.log1p(payment.accountAgeDays);
  return 1 / (1 + Math.exp(-logit));
}

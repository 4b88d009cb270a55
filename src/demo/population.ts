import { exponential, logNormal, type Random } from './random.js';

/** What the service knows of a card payment, in the order of a request's `features`; none is negative. */
export const FEATURES = [
  'amount_eur',
  'distance_km',
  'account_age_days',
  'payments_last_24h',
  'merchant_risk',
  'hours_since_last_use',
] as const;

/** Position of the account's age, which the `drift` fault delivers in the wrong unit. */
export const ACCOUNT_AGE = 2;

export interface Example {
  features: number[];
  /** 1: the payment turned out to be fraud. */
  label: 0 | 1;
}

/** One payment that the rules flagged for scoring. */
export function drawFeatures(random: Random): number[] {
  return [
    logNormal(random, 40, 1.1),
    logNormal(random, 8, 1.4),
    exponential(random, 900),
    Math.floor(exponential(random, 3)),
    random() ** 2,
    logNormal(random, 12, 1.2),
  ];
}

export function drawExample(random: Random): Example {
  const features = drawFeatures(random);
  return { features, label: random() < fraudProbability(features) ? 1 : 0 };
}

/** How fraud comes about here: what a model has to learn from labels alone. */
function fraudProbability(features: readonly number[]): number {
  const [amount = 0, distance = 0, age = 0, payments = 0, merchantRisk = 0, idleHours = 0] = features;
  const logit =
    -1 +
    0.8 * (Math.log1p(amount) - 3.7) +
    0.5 * (Math.log1p(distance) - 2.3) -
    0.5 * (Math.log1p(age) - 6.2) +
    0.6 * (Math.log1p(payments) - 1) +
    2 * (merchantRisk - 0.33) +
    0.2 * (Math.log1p(idleHours) - 2.6);
  return 1 / (1 + Math.exp(-logit));
}

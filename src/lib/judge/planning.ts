import { certifiesAtMost } from './clopper-pearson.js';
import { logE } from './rate-evidence.js';
import { bisect } from './special.js';

/** No plan reaches further: a target this close to the rate cannot be told from it. */
const MOST_REQUESTS = 2 ** 50;

/** Kullback-Leibler divergence (nats) of a Bernoulli(p) from a Bernoulli(q), p and q in [0, 1]. */
export function klBernoulli(p: number, q: number): number {
  const part = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return Math.max(0, part(p, q) + part(1 - p, 1 - q));
}

/** Requests the best possible test would need on average to tell rate p from p0: ln(1/alpha)/KL; null when p is p0. */
export function oracleRequests(p: number, p0: number, alpha: number): number | null {
  const kl = klBernoulli(p, p0);
  return kl === 0 ? null : -Math.log(alpha) / kl;
}

/**
 * Requests after which the promotion test certifies "rate <= p0" if the observed rate stays at `p`, found on the test
 * itself. One look at that number passes about half the time; plan for more.
 * @param D design effect, >= 1
 * @returns a whole number, or null when it never will (p >= p0, or closer to it than the test can resolve)
 */
export function requestsNeeded(
  p: number,
  p0: number,
  alpha: number,
  method: 'clopper-pearson' | 'e-process',
  D = 1,
): number | null {
  if (!(p < p0)) return null;
  const threshold = -Math.log(alpha);
  const enough = (n: number) =>
    method === 'clopper-pearson'
      ? certifiesAtMost((p * n) / D, n / D, p0, alpha)
      : logE(-1, p * n, n, p0, D) >= threshold;
  let most = 1;
  while (!enough(most)) {
    most *= 2;
    if (most > MOST_REQUESTS) return null;
  }
  return Math.ceil(bisect(most === 1 ? 0 : most / 2, most, (n) => !enough(n)).hi);
}

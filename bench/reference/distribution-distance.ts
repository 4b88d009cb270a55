/** Distances between two histograms over the same bins, as drift monitors compute them. Counts, not shares. */

function shares(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}

/** Population stability index without smoothing: +Infinity as soon as one arm has an empty bin. */
export function psiUnsmoothed(canary: readonly number[], baseline: readonly number[]): number {
  const q = shares(baseline);
  return shares(canary).reduce((sum, p, i) => (p === q[i]! ? sum : sum + (p - q[i]!) * Math.log(p / q[i]!)), 0);
}

/** Jensen-Shannon divergence in nats, 0..ln 2. */
export function jensenShannon(canary: readonly number[], baseline: readonly number[]): number {
  const [p, q] = [shares(canary), shares(baseline)];
  const part = (a: number, middle: number) => (a === 0 ? 0 : a * Math.log(a / middle));
  const sum = p.reduce((acc, a, i) => acc + part(a, (a + q[i]!) / 2) + part(q[i]!, (a + q[i]!) / 2), 0);
  return Math.max(0, sum / 2);
}

/** Kolmogorov-Smirnov distance of the binned distributions, 0..1. */
export function kolmogorovSmirnov(canary: readonly number[], baseline: readonly number[]): number {
  const [p, q] = [shares(canary), shares(baseline)];
  let [difference, largest] = [0, 0];
  for (let i = 0; i < p.length; i++) {
    difference += p[i]! - q[i]!;
    largest = Math.max(largest, Math.abs(difference));
  }
  return largest;
}

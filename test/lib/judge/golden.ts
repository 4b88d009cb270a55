import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const file = new URL('../../golden/judge.json', import.meta.url);
const sections: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'), (_key, value) =>
  value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : value === 'NaN' ? NaN : value,
);

/** Reference values computed with 50 digits; the caller names the shape of the section it reads. */
export function golden<T>(section: string): T {
  if (!(section in sections)) throw new Error(`no section ${section} in ${file.pathname}`);
  return sections[section] as T;
}

/** Equal within 1e-12, absolute or relative. */
export function expectClose(actual: number | null | undefined, expected: number, what = ''): void {
  if (!Number.isFinite(expected)) {
    expect(actual, what).to.deep.equal(expected);
    return;
  }
  expect(actual, what).to.be.a('number');
  expect(actual, what).to.be.closeTo(expected, 1e-12 * Math.max(1, Math.abs(expected)));
}

/** Reproducible uniform numbers in [0, 1): a linear congruential generator (MMIX constants, upper 53 bits). */
export function uniform(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 11n) / 2 ** 53;
  };
}

/** Log probabilities of 0..n bad of n independent requests. */
export function logBinomial(n: number, p: number): number[] {
  const logs = [n * Math.log1p(-p)];
  for (let k = 1; k <= n; k++) logs.push(logs[k - 1]! + Math.log(((n - k + 1) * p) / (k * (1 - p))));
  return logs;
}

/** Probabilities of 0..n bad of n independent requests. */
export function binomial(n: number, p: number): number[] {
  return logBinomial(n, p).map(Math.exp);
}

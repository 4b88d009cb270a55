import { expect } from 'chai';
import { exponential, logNormal, type Random, seededRandom } from '../../src/demo/random.js';

const DRAWS = 20_000;

function draws(draw: (random: Random) => number, stream = 'test'): number[] {
  const random = seededRandom(1, stream);
  return Array.from({ length: DRAWS }, () => draw(random));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values: readonly number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.floor(q * values.length)] ?? Number.NaN;
}

describe('demo random numbers', () => {
  it('repeat with the seed and the stream, and differ with either', () => {
    const first = (seed: number, stream: string): number[] => {
      const random = seededRandom(seed, stream);
      return [random(), random(), random()];
    };
    expect(first(1, 'a')).to.deep.equal(first(1, 'a'));
    expect(first(1, 'a')).to.not.deep.equal(first(2, 'a'));
    expect(first(1, 'a')).to.not.deep.equal(first(1, 'b'));
  });

  it('are uniform on [0, 1) and independent between streams', () => {
    const a = draws((random) => random());
    const b = draws((random) => random(), 'other');
    expect(Math.min(...a)).to.be.at.least(0);
    expect(Math.max(...a)).to.be.below(1);
    for (const q of [0.1, 0.5, 0.9]) expect(quantile(a, q)).to.be.closeTo(q, 0.015);
    const covariance = mean(a.map((value, i) => (value - 0.5) * ((b[i] ?? 0) - 0.5)));
    expect(covariance * 12).to.be.closeTo(0, 0.03);
  });

  it('give exponential gaps of the mean asked for', () => {
    const gaps = draws((random) => exponential(random, 8));
    expect(mean(gaps)).to.be.closeTo(8, 0.25);
    expect(quantile(gaps, 0.5)).to.be.closeTo(8 * Math.LN2, 0.25);
  });

  it('give log-normal times of the median and spread asked for', () => {
    const times = draws((random) => logNormal(random, 35, 0.574));
    expect(quantile(times, 0.5)).to.be.closeTo(35, 1);
    expect(quantile(times, 0.95)).to.be.closeTo(35 * Math.exp(1.645 * 0.574), 4);
  });
});

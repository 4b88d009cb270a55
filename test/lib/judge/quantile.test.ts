import { expect } from 'chai';
import fc from 'fast-check';
import { type Bucket, exceedCounts, histogramQuantile, quantileWithBucket } from '../../../src/lib/judge/quantile.js';
import { expectClose, golden } from './golden.js';

interface QuantileCase {
  name: string;
  q: number;
  buckets: Bucket[];
  value: number;
}
interface ExceedCase {
  L: number;
  buckets: Bucket[];
  n: number;
  surely_above: number;
  possibly_above: number;
  exact: boolean;
}

/** Finite bounds and counts per bucket of a cumulative histogram. */
function perBucket(buckets: Bucket[]): { bounds: number[]; counts: number[] } {
  return {
    bounds: buckets.slice(0, -1).map(([le]) => le),
    counts: buckets.map(([, count], i) => count - (buckets[i - 1]?.[1] ?? 0)),
  };
}

const histogram = fc
  .uniqueArray(fc.integer({ min: 1, max: 5000 }), { maxLength: 10 })
  .map((bounds) => bounds.sort((a, b) => a - b))
  .chain((bounds) =>
    fc.record({
      bounds: fc.constant(bounds),
      counts: fc.array(fc.nat(1000), { minLength: bounds.length + 1, maxLength: bounds.length + 1 }),
    }),
  );

describe('histogram quantiles', () => {
  for (const c of golden<QuantileCase[]>('histogram_quantile')) {
    it(`are those of Prometheus: ${c.name}`, () => {
      expectClose(histogramQuantile(c.q, c.buckets), c.value);
    });
  }

  it('are those of Prometheus: other arguments and odd buckets', () => {
    const plain: Bucket[] = [
      [1, 5],
      [2, 10],
      [Infinity, 10],
    ];
    expect(histogramQuantile(1.1, plain)).to.equal(Infinity);
    expect(histogramQuantile(Number.NaN, plain)).to.be.NaN;
    expect(histogramQuantile(0.5, [])).to.be.NaN;
    expect(histogramQuantile(0.5, plain.slice(0, 2)), 'no +Inf bucket').to.be.NaN;
    expect(histogramQuantile(0.5, [...plain].reverse()), 'unsorted').to.equal(1);
    const torn: Bucket[] = [
      [1, 5],
      [2, 4],
      [4, 10],
      [Infinity, 10],
    ];
    expect(histogramQuantile(0.6, torn), 'a count below the one before it').to.be.closeTo(2.4, 1e-12);
    const noise: Bucket[] = [
      [1, 5],
      [2, 5 * (1 + 1e-14)],
      [4, 5],
      [Infinity, 5],
    ];
    expect(histogramQuantile(1, noise), 'float noise').to.equal(1);
  });

  it('for display come with the bounds of their bucket', () => {
    const { bounds, counts } = perBucket(golden<QuantileCase[]>('histogram_quantile')[0]!.buckets);
    const shown = quantileWithBucket(0.95, bounds, counts);
    expectClose(shown.value, 0.40625);
    expect([shown.lower, shown.upper]).to.deep.equal([0.25, 0.5]);
    expect(quantileWithBucket(0.99, [100, 1000], [50, 40, 10])).to.deep.equal({
      value: 1000,
      lower: 1000,
      upper: null,
    });
    expect(quantileWithBucket(0.1, [-1, 1], [5, 5, 0])).to.deep.equal({ value: -1, lower: null, upper: -1 });
    expect(quantileWithBucket(0.5, [10], [4, 0])).to.deep.equal({ value: 5, lower: 0, upper: 10 });
  });

  it('for display are null without observations', () => {
    const none = { value: null, lower: null, upper: null };
    expect(quantileWithBucket(0.95, [1, 2], [0, 0, 0])).to.deep.equal(none);
    expect(quantileWithBucket(0.95, [], [7])).to.deep.equal(none);
    expect(quantileWithBucket(0, [1, 2], [0, 5, 5])).to.deep.equal(none);
  });

  it('for display lie within their bucket and are what Prometheus computes', () => {
    fc.assert(
      fc.property(histogram, fc.double({ min: 0.01, max: 1, noNaN: true }), (h, q) => {
        const shown = quantileWithBucket(q, h.bounds, h.counts);
        fc.pre(shown.value !== null);
        expect(shown.value).to.be.at.least(shown.lower ?? -Infinity);
        expect(shown.value).to.be.at.most(shown.upper ?? Infinity);
        let sum = 0;
        const cumulative = h.counts.map((count, i): Bucket => {
          sum += count;
          return [h.bounds[i] ?? Infinity, sum];
        });
        expect(shown.value).to.equal(histogramQuantile(q, cumulative));
      }),
    );
  });
});

describe('counts above a limit', () => {
  for (const c of golden<ExceedCase[]>('exceed_counts')) {
    it(`are bracketed by the buckets around ${c.L}`, () => {
      const { bounds, counts } = perBucket(c.buckets);
      const { surely, possibly, total, exact } = exceedCounts(bounds, counts, c.L);
      expect({ surely, possibly, total, exact }).to.deep.equal({
        surely: c.surely_above,
        possibly: c.possibly_above,
        total: c.n,
        exact: c.exact,
      });
    });
  }

  it('name the bounds they used', () => {
    const at = (limit: number) => {
      const { surelyBound, possiblyBound } = exceedCounts([100, 250, 500], [1, 2, 3, 4], limit);
      return [surelyBound, possiblyBound];
    };
    expect(at(250)).to.deep.equal([250, 250]);
    expect(at(200)).to.deep.equal([250, 100]);
    expect(at(50)).to.deep.equal([100, null]);
    expect(at(900)).to.deep.equal([null, 500]);
  });

  it('beyond the bounds are none for sure, and all possibly', () => {
    expect(exceedCounts([100], [1, 4], 900)).to.include({ surely: 0, possibly: 4, exact: false });
    expect(exceedCounts([100], [1, 4], 50)).to.include({ surely: 4, possibly: 5, exact: false });
    expect(exceedCounts([], [5], 50)).to.include({ surely: 0, possibly: 5, exact: false });
  });

  it('take a bound converted from seconds for the limit it stands for', () => {
    expect(2.01 * 1000).to.not.equal(2010);
    expect(exceedCounts([500, 2.01 * 1000, 5000], [1, 2, 3, 4], 2010)).to.include({
      surely: 7,
      possibly: 7,
      exact: true,
    });
  });

  it('refuse counts that do not fit the bounds', () => {
    expect(() => exceedCounts([1, 2], [1, 2], 1)).to.throw(RangeError, '2 bounds need 3 counts, not 2');
    expect(() => quantileWithBucket(0.5, [1, 2], [1, 2])).to.throw(RangeError);
  });

  it('bracket the truth whatever the values in the buckets were', () => {
    const values = fc.array(fc.integer({ min: 1, max: 6000 }), { maxLength: 60 });
    fc.assert(
      fc.property(histogram, values, fc.integer({ min: 1, max: 6000 }), ({ bounds }, observed, limit) => {
        const counts = new Array<number>(bounds.length + 1).fill(0);
        for (const value of observed) {
          const index = bounds.findIndex((bound) => value <= bound);
          counts[index < 0 ? bounds.length : index]! += 1;
        }
        const truth = observed.filter((value) => value > limit).length;
        const { surely, possibly, total, exact } = exceedCounts(bounds, counts, limit);
        expect(surely).to.be.at.most(truth);
        expect(possibly).to.be.at.least(truth);
        expect(total).to.equal(observed.length);
        expect(exact).to.equal(bounds.includes(limit));
        if (exact) expect(surely).to.equal(possibly);
      }),
    );
  });
});

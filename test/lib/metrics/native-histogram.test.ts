import { expect } from 'chai';
import fc from 'fast-check';
import { type NativeHistogram, onGrid, schemaProblem } from '../../../src/lib/metrics/native-histogram.js';
import { cases } from '../../cases.js';

/** As a client library keeps it (https://prometheus.io/docs/specs/native_histograms/). */
function native(values: readonly number[], schema: number, zeroThreshold: number): NativeHistogram {
  const positive = new Map<number, number>();
  let [zero, negative] = [0, 0];
  for (const value of values) {
    if (Math.abs(value) <= zeroThreshold) zero += 1;
    else if (value < 0) negative += 1;
    else if (value > 0) {
      const index = Math.ceil(Math.log2(value) * 2 ** schema);
      positive.set(index, (positive.get(index) ?? 0) + 1);
    }
  }
  const buckets = [...positive].map(([index, count]) => ({ upper: 2 ** (index * 2 ** -schema), count }));
  buckets.push({ upper: zeroThreshold, count: zero }, { upper: -1, count: negative });
  return { schema, zeroThreshold, buckets, count: values.length };
}

const anySchema = fc.integer({ min: -4, max: 8 });
const anyValues = fc.array(
  fc.oneof(
    fc.double({ min: 1e-4, max: 1e4, noNaN: true }),
    fc.double({ noNaN: true }),
    fc.constantFrom(0, Number.NaN, 0.3, 300, 1e300, -1),
  ),
  { maxLength: 60 },
);

describe('native histograms on a grid', () => {
  it('counts what is at or below each bound, whatever the schema', () => {
    fc.assert(
      fc.property(anyValues, anySchema, fc.constantFrom(0, 2 ** -128, 0.001, 1), (values, schema, zeroThreshold) => {
        const { bounds, totals } = onGrid(native(values, schema, zeroThreshold));
        expect(totals).to.have.length(bounds.length + 1);
        expect(totals.at(-1)).to.equal(values.length);
        bounds.forEach((bound, i) => {
          // A value beside a bound may be on either side of it: a logarithm is not exact.
          const below = (edge: number) => values.filter((value) => value <= edge).length;
          expect(totals[i], `at or below ${bound}`).to.be.within(below(bound * (1 - 1e-6)), below(bound * (1 + 1e-6)));
        });
      }),
      { numRuns: cases(2000, 150) },
    );
  });

  it('has the same bounds whichever buckets are populated, and at each power of two of its reach', () => {
    fc.assert(
      fc.property(anyValues, anyValues, fc.integer({ min: 0, max: 8 }), (some, others, schema) => {
        const { bounds } = onGrid(native(some, schema, 2 ** -128));
        expect(onGrid(native(others, schema, 2 ** -128)).bounds).to.deep.equal(bounds);
        for (let power = -10; power <= 10; power++) expect(bounds).to.include(2 ** power);
      }),
      { numRuns: cases(500, 30) },
    );
  });

  it('keeps of a coarser schema some of the bounds of a finer one, so that the two have them in common', () => {
    const fine = onGrid(native([], 3, 0)).bounds;
    for (let schema = -4; schema <= 8; schema++) {
      const { bounds } = onGrid(native([], schema, 0));
      expect(bounds.length).to.be.greaterThan(2);
      expect(fine).to.include.members(bounds);
    }
  });

  it('says nothing of bounds below the zero threshold', () => {
    const { bounds, totals } = onGrid(native([0.1, 0.2, 0.9, 3], 3, 0.5));
    expect(bounds[0]).to.equal(0.5);
    expect(totals[0]).to.equal(2);
    expect(onGrid(native([1], 3, 1e9))).to.deep.equal({ bounds: [], totals: [1] });
  });

  it('names schemas that are not read', () => {
    expect([-4, 0, 8].map(schemaProblem)).to.deep.equal([null, null, null]);
    expect(schemaProblem(-53)).to.equal('is a native histogram of schema -53, which is not read');
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { sameJson } from '../../../src/lib/explain/same-json.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';

describe('sameness of JSON values', () => {
  it('is that of their canonical texts', () => {
    const values = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(sameJson(a, b)).to.equal(canonicalJson([a]) === canonicalJson([b]));
        expect(sameJson(a, JSON.parse(canonicalJson([a]))[0])).to.equal(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('knows no order of members, none that is undefined, and no other zero', () => {
    expect(sameJson({ a: 1, b: [2] }, { b: [2], a: 1 })).to.equal(true);
    expect(sameJson({ a: 1, b: undefined }, { a: 1 })).to.equal(true);
    expect(sameJson({ a: undefined }, { b: 1 })).to.equal(false);
    expect(sameJson([], {})).to.equal(false);
    expect(sameJson(0, -0)).to.equal(true);
  });
});

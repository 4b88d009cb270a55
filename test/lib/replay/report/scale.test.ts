import { expect } from 'chai';
import fc from 'fast-check';
import { valueScale } from '../../../../src/lib/replay/report/scale.js';

describe('an axis of the report', () => {
  it('has a handful of finite marks, and places within it, for any values', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, 5e-324, 1e150, 1.6e308, -1.7e308),
    );
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [least, greatest] = [Math.min(a, b), Math.max(a, b)];
        const place = valueScale(least, greatest, 200, 0);
        expect(place.marks).to.have.lengthOf.within(2, 12);
        expect(place.marks.every(Number.isFinite)).to.equal(true);
        expect([place(least), place(greatest)]).to.satisfy((at: number[]) => at.every((y) => y >= 0 && y <= 200));
      }),
      { numRuns: 2000 },
    );
  });
});

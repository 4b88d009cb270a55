import { expect } from 'chai';
import fc from 'fast-check';
import { DetailSeries, inDetail } from '../../../../src/lib/replay/report/selection.js';
import type { CanaryReplay } from '../../../../src/lib/replay/result.js';

const flips = fc.array(fc.constantFrom(true, false, null), { maxLength: 130 });
const canaries = (all: readonly (boolean | null)[]) =>
  all.map((flip, i) => ({ canaryId: `c-${i}`, flips: flip }) as CanaryReplay);

describe('the canaries that a report shows in detail', () => {
  it('are 50 at most, those that flip first, in the order of the result', () => {
    const all = canaries([...Array.from({ length: 60 }, () => false), null, true]);
    const shown = inDetail(all).map(({ canaryId }) => canaryId);
    expect(shown).to.have.length(50);
    expect(shown.slice(-3)).to.deep.equal(['c-47', 'c-60', 'c-61']);
  });

  it('are those whose observations are kept, and no others', () => {
    fc.assert(
      fc.property(flips, (all) => {
        const detail = new DetailSeries();
        for (const canary of canaries(all)) detail.add(canary, []);
        expect(detail.series.map(({ canaryId }) => canaryId)).to.deep.equal(
          inDetail(canaries(all)).map(({ canaryId }) => canaryId),
        );
      }),
    );
  });
});

import { expect } from 'chai';
import { errors, latency, looksAt, ok, requests } from './given.js';
import { verdictOf } from './verdict-of.js';

/** A hundred requests a check, but for checks with a storm of 3,000 that fail or not; nothing says when the process began. */
function storms(fails: boolean, startedAt?: number) {
  let [all, bad] = [1000, 0];
  return looksAt(
    Array.from({ length: 21 }, (_, i) => {
      const storm = i > 0 && i % 6 === 0 ? 3000 : 0;
      all += 100 + storm;
      bad += fails ? storm : 0;
      const pace = latency({ '0.25': all - (fails ? bad : 0), '1': all, '+Inf': all });
      return [ok([requests(all), errors(bad), ...pace], startedAt)];
    }),
  );
}

describe('what is left out of the counts as implausible', () => {
  it('is told with its numbers', () => {
    const [, , , , , , storm] = storms(true);
    expect(storm!.reading.errors!.state).to.equal('implausible');
    expect(storm!.reading.leftOut).to.deep.equal({
      errors: { bad: 3000, total: 3100 },
      histograms: { latency: { bounds: [250, 1000], counts: [100, 3000, 0] } },
    });
  });

  for (const targets of [{ max_error_rate: 0.02 }, { latency_p95_ms: 250 }]) {
    const [name] = Object.keys(targets);
    it(`certifies nothing that it could overturn: ${name}`, () => {
      const { decision, objectives } = verdictOf(storms(true), { targets });
      expect(decision).to.equal('block');
      expect(objectives[0]).to.deep.include({ leftOut: { bad: 9000, total: 9300, overturns: true } });
    });

    it(`is no matter where it is as good as the rest: ${name}`, () => {
      expect(verdictOf(storms(false), { targets })).to.include({ decision: 'promote', certainty: 'certified' });
    });

    it(`is nothing where the process says when it began: ${name}`, () => {
      const { decision, objectives } = verdictOf(storms(true, 50_000), { targets });
      expect(decision).to.equal('rollback');
      expect(objectives[0]).not.to.have.property('leftOut');
    });
  }
});

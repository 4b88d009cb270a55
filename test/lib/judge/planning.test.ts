import { expect } from 'chai';
import fc from 'fast-check';
import { certifiesAtMost } from '../../../src/lib/judge/clopper-pearson.js';
import { klBernoulli, oracleRequests, requestsNeeded } from '../../../src/lib/judge/planning.js';
import { logE } from '../../../src/lib/judge/rate-evidence.js';
import { expectClose, golden } from './golden.js';

interface PlanningCase {
  p: number;
  p0: number;
  alpha: number;
  kl: number;
  n_oracle: number;
}

describe('planning', () => {
  for (const c of golden<PlanningCase[]>('planning')) {
    it(`agrees with 50-digit values for ${c.p} against ${c.p0}`, () => {
      expectClose(klBernoulli(c.p, c.p0), c.kl);
      expectClose(oracleRequests(c.p, c.p0, c.alpha), c.n_oracle);
    });
  }

  it('has limits where the rates are equal or impossible', () => {
    expect(klBernoulli(0.1, 0.1)).to.equal(0);
    expect(klBernoulli(1, 1)).to.equal(0);
    expect(klBernoulli(0.1, 0)).to.equal(Infinity);
    expect(oracleRequests(0.02, 0.02, 0.01)).to.equal(null);
  });

  it('half the target takes about 2,100 requests by the e-process, fewer by the single look', () => {
    expect(requestsNeeded(0.01, 0.02, 0.01, 'e-process')).to.be.within(1950, 2250);
    expect(requestsNeeded(0.01, 0.02, 0.01, 'clopper-pearson')).to.be.within(800, 1300);
    expect(requestsNeeded(0, 0.02, 0.01, 'clopper-pearson')).to.equal(228);
  });

  it('is the first number at which the test passes', () => {
    const cases = fc.tuple(fc.double({ min: 0, max: 0.9, noNaN: true }), fc.constantFrom(0.01, 0.05, 0.3));
    const methods = fc.constantFrom('clopper-pearson' as const, 'e-process' as const);
    fc.assert(
      fc.property(cases, methods, fc.constantFrom(1, 3.5), ([share, p0], method, D) => {
        const p = share * p0;
        const passes = (n: number) =>
          method === 'e-process'
            ? logE(-1, p * n, n, p0, D) >= Math.log(100)
            : certifiesAtMost((p * n) / D, n / D, p0, 0.01);
        const n = requestsNeeded(p, p0, 0.01, method, D);
        expect(n).to.satisfy(Number.isInteger);
        expect(passes(n ?? 0)).to.equal(true);
        expect(passes((n ?? 0) - 1)).to.equal(false);
      }),
      { numRuns: 40 },
    );
  });

  it('grows in proportion to the design effect', () => {
    const [one, four] = [1, 4].map((D) => requestsNeeded(0.01, 0.02, 0.01, 'e-process', D) ?? Number.NaN);
    expect((four ?? 0) / (one ?? 1)).to.be.closeTo(4, 0.01);
  });

  it('is null when the rate does not meet the target, or cannot be told from it', () => {
    for (const method of ['clopper-pearson', 'e-process'] as const) {
      expect(requestsNeeded(0.02, 0.02, 0.01, method)).to.equal(null);
      expect(requestsNeeded(0.03, 0.02, 0.01, method)).to.equal(null);
    }
    expect(requestsNeeded(0.02 * 0.999, 0.02, 0.01, 'e-process')).to.equal(null);
  });
});

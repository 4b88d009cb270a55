import { expect } from 'chai';
import fc from 'fast-check';
import { certifiesAtMost, clopperPearsonLower, clopperPearsonUpper } from '../../../src/lib/judge/clopper-pearson.js';
import { binomial, expectClose, golden } from './golden.js';

interface ClopperPearsonCase {
  k: number;
  n: number;
  alpha_one_sided: number;
  lower: number;
  upper: number;
}

describe('Clopper-Pearson bounds', () => {
  for (const c of golden<ClopperPearsonCase[]>('clopper_pearson')) {
    it(`agree with 50-digit values for ${c.k} of ${c.n}`, () => {
      expectClose(clopperPearsonLower(c.k, c.n, c.alpha_one_sided), c.lower);
      expectClose(clopperPearsonUpper(c.k, c.n, c.alpha_one_sided), c.upper);
    });
  }

  it('have their closed forms at no and at all bad requests', () => {
    for (const n of [1, 30, 1e5, 1e9]) {
      expectClose(clopperPearsonUpper(0, n, 0.01), -Math.expm1(Math.log(0.01) / n));
      expectClose(clopperPearsonLower(n, n, 0.01), 0.01 ** (1 / n));
    }
  });

  it('know nothing without requests', () => {
    expect(clopperPearsonUpper(0, 0, 0.01)).to.equal(1);
    expect(clopperPearsonLower(0, 0, 0.01)).to.equal(0);
    expect(certifiesAtMost(0, 0, 0.02, 0.01)).to.equal(false);
  });

  it('certify by the tail probability', () => {
    const tail = binomial(1200, 0.02)
      .slice(0, 13)
      .reduce((a, b) => a + b, 0);
    expect(certifiesAtMost(12, 1200, 0.02, tail * 1.0001)).to.equal(true);
    expect(certifiesAtMost(12, 1200, 0.02, tail * 0.9999)).to.equal(false);
    expect(certifiesAtMost(0, 227, 0.02, 0.01)).to.equal(false);
    expect(certifiesAtMost(0, 228, 0.02, 0.01)).to.equal(true);
  });

  it('certify wrongly in at most alpha of the windows at the boundary', () => {
    for (const [n, p0] of [
      [300, 0.02],
      [1000, 0.05],
    ] as const) {
      const wrong = binomial(n, p0).reduce((sum, p, k) => sum + (certifiesAtMost(k, n, p0, 0.01) ? p : 0), 0);
      expect(wrong).to.be.within(0.001, 0.01);
    }
  });

  it('certify exactly the boundaries from the upper bound on, and contain the rate', () => {
    const size = fc.double({ min: 0.3, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(size, fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.01, 0.05), (n, share, alpha) => {
        const k = share * n;
        const [lower, upper] = [clopperPearsonLower(k, n, alpha), clopperPearsonUpper(k, n, alpha)];
        expect(lower).to.be.at.most(share);
        expect(upper).to.be.at.least(share);
        expect(certifiesAtMost(k, n, upper, alpha)).to.equal(true);
        expect(certifiesAtMost(k, n, upper * (1 - 1e-9), alpha)).to.equal(false);
      }),
      { numRuns: 50 },
    );
  });
});

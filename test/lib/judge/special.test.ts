import { expect } from 'chai';
import fc from 'fast-check';
import {
  bisect,
  lbeta,
  lgamma,
  logAddExp,
  logBetaInc,
  logBetaKernel,
  logSumExp,
  normalCdf,
  normalQuantile,
} from '../../../src/lib/judge/special.js';
import { expectClose, golden } from './golden.js';

interface SpecialCase {
  fn: 'lgamma' | 'lbeta' | 'logbetainc';
  a: number;
  b: number;
  x: number;
  y: number;
  log_lower: number;
  log_upper: number;
}

describe('special functions', () => {
  for (const c of golden<SpecialCase[]>('special')) {
    it(`${c.fn} agrees with 50-digit values at ${JSON.stringify([c.a, c.b, c.x])}`, () => {
      if (c.fn === 'lgamma') expectClose(lgamma(c.x), c.y);
      else if (c.fn === 'lbeta') expectClose(lbeta(c.a, c.b), c.y);
      else {
        const { lower, upper } = logBetaInc(c.a, c.b, c.x);
        expectClose(lower, c.log_lower);
        expectClose(upper, c.log_upper);
        if (c.log_upper !== 0) expect(upper / c.log_upper).to.be.closeTo(1, 1e-12);
        if (c.log_lower !== 0) expect(lower / c.log_lower).to.be.closeTo(1, 1e-12);
      }
    });
  }

  it('lgamma has its limits', () => {
    expect(lgamma(0)).to.equal(Infinity);
    expect(lgamma(Infinity)).to.equal(Infinity);
    expect(lgamma(-1)).to.be.NaN;
    expect(lbeta(0, 3)).to.equal(Infinity);
  });

  it('the beta kernel is x^a (1-x)^b / B(a, b)', () => {
    for (const [a, b, x] of [
      [0.5, 0.5, 0.02],
      [3, 7, 0.9],
      [40, 460, 0.08],
    ] as const)
      expectClose(logBetaKernel(a, b, x), a * Math.log(x) + b * Math.log1p(-x) - lbeta(a, b));
  });

  it('both tails of the incomplete beta add up to 1 and mirror each other', () => {
    const size = fc.double({ min: 1e-3, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(size, size, fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (a, b, x) => {
        const { lower, upper } = logBetaInc(a, b, x);
        const mirrored = logBetaInc(b, a, 1 - x);
        expect(Math.exp(lower) + Math.exp(upper)).to.be.closeTo(1, 1e-12);
        // 1 - x is rounded, which moves x by up to 1e-16: the counts multiply that.
        expect(Math.exp(mirrored.upper)).to.be.closeTo(Math.exp(lower), 1e-9);
      }),
    );
  });

  it('the incomplete beta equals a binomial tail', () => {
    // P(X <= 2), X ~ Binomial(5, 0.3)
    expectClose(Math.exp(logBetaInc(3, 3, 0.3).upper), 0.83692);
  });

  it('the incomplete beta puts the mass of a degenerate distribution at its end', () => {
    expect(logBetaInc(0, 3, 0.5)).to.deep.equal({ lower: 0, upper: -Infinity });
    expect(logBetaInc(3, 0, 0.5)).to.deep.equal({ lower: -Infinity, upper: 0 });
    expect(logBetaInc(3, 3, 0)).to.deep.equal({ lower: -Infinity, upper: 0 });
    expect(logBetaInc(3, 3, 1)).to.deep.equal({ lower: 0, upper: -Infinity });
  });

  it('the incomplete beta stays fast and right for huge counts', () => {
    const { lower, upper } = logBetaInc(5e11, 5e11, 0.5);
    expectClose(lower, -Math.LN2);
    expectClose(upper, -Math.LN2);
  });

  it('logSumExp neither overflows nor underflows', () => {
    expectClose(logSumExp([1e6, 1e6]), 1e6 + Math.LN2);
    expectClose(logSumExp([-1e6, -1e6]), -1e6 + Math.LN2);
    expect(logSumExp([])).to.equal(-Infinity);
    expect(logSumExp([-Infinity, 3])).to.equal(3);
    expect(logSumExp([Infinity, 3])).to.equal(Infinity);
  });

  it('logAddExp is logSumExp of two, to the last bit', () => {
    for (const difference of [0, 1e-9, 0.7, 20, 36, 36.9, 37.1, 800, Infinity])
      for (const a of [-1e6, -3.1, 0, 250]) {
        expect(logAddExp(a, a - difference), `${a} - ${difference}`).to.equal(logSumExp([a, a - difference]));
        expect(logAddExp(a - difference, a), `${a} - ${difference}`).to.equal(logSumExp([a, a - difference]));
      }
    expect(logAddExp(-Infinity, -Infinity)).to.equal(-Infinity);
  });

  it('bisect ends on neighbouring doubles around the turn', () => {
    const { lo, hi } = bisect(0, 4, (x) => x * x < 2);
    expect(lo * lo < 2 && hi * hi >= 2).to.equal(true);
    expect(hi - lo).to.be.at.most(2 ** -52);
  });

  it('the normal distribution has the textbook values', () => {
    for (const [x, p] of [
      [0, 0.5],
      [1, 0.841344746068543],
      [-2, 0.0227501319481792],
      [-1.959963984540054, 0.025],
      [-6, 9.86587645037698e-10],
      [3, 0.9986501019683699],
    ] as const)
      expect(normalCdf(x) / p, String(x)).to.be.closeTo(1, 1e-13);
    expect(normalCdf(-40)).to.equal(0);
    expect(normalCdf(40)).to.equal(1);
    expect(normalCdf(Number.NaN)).to.be.NaN;
  });

  it('the normal quantile inverts the distribution function, far into the tail', () => {
    expectClose(normalQuantile(0.99), 2.326347874040841);
    expectClose(normalQuantile(0.3), -0.5244005127080408);
    fc.assert(
      fc.property(fc.double({ min: -690, max: -1e-3, noNaN: true }), (logP) => {
        const p = Math.exp(logP);
        expect(normalCdf(normalQuantile(p)) / p).to.be.closeTo(1, 1e-12);
      }),
    );
    expect(normalQuantile(0)).to.equal(-Infinity);
    expect(normalQuantile(1)).to.equal(Infinity);
    expect(normalQuantile(1.5)).to.be.NaN;
  });
});

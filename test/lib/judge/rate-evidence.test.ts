import { expect } from 'chai';
import fc from 'fast-check';
import { betaBinomialConfidenceSequence } from '../../../bench/reference/beta-binomial.js';
import {
  confidenceSequence,
  LN_PSI,
  LN_W,
  logE,
  logLikelihoodRatio,
  logMixture,
} from '../../../src/lib/judge/rate-evidence.js';
import { expectClose, golden, logBinomial, uniform } from './golden.js';

interface Grid {
  J: number;
  lo: number;
  hi: number;
  power: number;
  ln_psi: number[];
  ln_w: number[];
}
interface OddsCase {
  k: number;
  n: number;
  p0: number;
  D: number;
  alpha: number;
  logE_rollback: number;
  logE_promote: number;
  lower: number;
  upper: number;
}

const counts = fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
const boundary = fc.double({ min: 1e-4, max: 0.9, noNaN: true });
const direction = fc.constantFrom(1 as const, -1 as const);

describe('rate evidence', () => {
  it('embeds the grid of bets', () => {
    const grid = golden<Grid>('grid');
    expect(LN_PSI).to.have.length(grid.J);
    expect(LN_W).to.have.length(grid.J);
    for (let j = 0; j < grid.J; j++) {
      expectClose(LN_PSI[j], grid.ln_psi[j]!);
      expectClose(LN_W[j], grid.ln_w[j]!);
      expectClose(LN_PSI[j], grid.lo * (grid.hi / grid.lo) ** (j / (grid.J - 1)));
    }
    expectClose(
      LN_W.reduce((sum, w) => sum + Math.exp(w), 0),
      1,
    );
  });

  for (const c of golden<OddsCase[]>('odds_grid')) {
    it(`agrees with 50-digit values for ${c.k} of ${c.n} against ${c.p0}`, () => {
      expectClose(logE(1, c.k, c.n, c.p0, c.D), c.logE_rollback);
      expectClose(logE(-1, c.k, c.n, c.p0, c.D), c.logE_promote);
      const { lower, upper } = confidenceSequence(c.k, c.n, c.alpha, c.D);
      expectClose(lower, c.lower);
      expectClose(upper, c.upper);
    });
  }

  it('is exactly a fair bet at the boundary: the expected e-value is 1', () => {
    for (const dir of [1, -1] as const)
      for (const [n, p0] of [
        [1, 0.02],
        [40, 0.05],
        [500, 0.02],
        [300, 0.5],
      ] as const) {
        const mean = logBinomial(n, p0).reduce((sum, share, k) => sum + Math.exp(share + logE(dir, k, n, p0)), 0);
        expect(mean, `${dir} ${n} ${p0}`).to.be.closeTo(1, 1e-10);
      }
  });

  it('is unfavourable inside the hypothesis, and with a design effect', () => {
    const mean = (dir: 1 | -1, p: number, D: number) =>
      logBinomial(200, p).reduce((sum, share, k) => sum + Math.exp(share + logE(dir, k, 200, 0.05, D)), 0);
    expect(mean(1, 0.04, 1)).to.be.below(0.9);
    expect(mean(-1, 0.06, 1)).to.be.below(0.9);
    expect(mean(1, 0.05, 2)).to.be.below(1);
  });

  it('with D requests sharing one fate, D makes the bet fair again', () => {
    const mean = (D: number) =>
      logBinomial(50, 0.05).reduce((sum, share, k) => sum + Math.exp(share + logE(1, 4 * k, 200, 0.05, D)), 0);
    expect(mean(4)).to.be.closeTo(1, 1e-10);
    expect(mean(1)).to.be.above(2);
  });

  it('crosses 1/alpha in at most alpha of the canaries that only just meet their target, at any look', () => {
    const random = uniform(1);
    let crossed = 0;
    for (let run = 0; run < 300; run++) {
      let k = 0;
      for (let n = 1; n <= 800; n++) {
        if (random() < 0.05) k++;
        if (n % 10 === 0 && logE(1, k, n, 0.05) >= Math.log(20)) {
          crossed++;
          break;
        }
      }
    }
    expect(crossed).to.be.at.most(15);
  });

  it('rises with bad requests when betting for rollback, falls when betting for promotion', () => {
    fc.assert(
      fc.property(counts, boundary, fc.double({ min: 0.5, max: 1e5, noNaN: true }), ([n, share], p0, more) => {
        const k = share * n;
        expect(logE(1, k + more, n + more, p0)).to.be.above(logE(1, k, n + more, p0));
        expect(logE(-1, k + more, n + more, p0)).to.be.below(logE(-1, k, n + more, p0));
      }),
    );
  });

  it('falls for rollback and rises for promotion as the boundary moves up', () => {
    fc.assert(
      fc.property(counts, boundary, ([n, share], p0) => {
        fc.pre(n > 1);
        expect(logE(1, share * n, n, p0 * 1.05)).to.be.below(logE(1, share * n, n, p0));
        expect(logE(-1, share * n, n, p0 * 1.05)).to.be.above(logE(-1, share * n, n, p0));
      }),
    );
  });

  it('does not depend on how requests are split into ticks, or their order', () => {
    const tick = fc.tuple(fc.nat(50), fc.nat(1000));
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 8 }), boundary, direction, (ticks, p0, dir) => {
        const wealth = (order: [number, number][]) =>
          logMixture(
            LN_PSI.map((_, j) => order.reduce((sum, [k, n]) => sum + logLikelihoodRatio(j, dir, k, k + n, p0), 0)),
          );
        const [k, n] = ticks.reduce(([a, b], [c, d]) => [a + c, b + c + d], [0, 0]);
        const whole = logE(dir, k, n, p0);
        const tolerance = 1e-9 * Math.max(1, Math.abs(whole), n);
        expect(wealth(ticks)).to.be.closeTo(whole, tolerance);
        expect(wealth([...ticks].reverse())).to.be.closeTo(whole, tolerance);
      }),
    );
  });

  it('says nothing without requests, and stays finite for absurd counts', () => {
    expectClose(logE(1, 0, 0, 0.02), 0);
    expectClose(logE(-1, 0, 0, 0.02), 0);
    for (const p0 of [0, 1e-9, 0.5, 1])
      for (const dir of [1, -1] as const) expect(logE(dir, 1e12, 1e13, p0, 3), `${p0}`).to.satisfy(Number.isFinite);
  });

  it('the confidence sequence contains the rate and is where the evidence crosses the threshold', () => {
    const design = fc.double({ min: 1, max: 20, noNaN: true });
    fc.assert(
      fc.property(counts, fc.constantFrom(0.001, 0.01, 0.05), design, ([n, share], alpha, D) => {
        const k = Math.min(n, share * n);
        const { lower, upper } = confidenceSequence(k, n, alpha, D);
        expect(lower).to.be.at.least(0);
        expect(upper).to.be.at.most(1);
        if (n > 0) {
          expect(lower).to.be.at.most(k / n);
          expect(upper).to.be.at.least(k / n);
        }
        const threshold = -Math.log(alpha);
        if (lower > 0) {
          expect(logE(1, k, n, lower, D)).to.be.at.least(threshold);
          expect(logE(1, k, n, lower * 1.001, D)).to.be.below(threshold);
        }
        if (upper < 1) {
          expect(logE(-1, k, n, upper, D)).to.be.at.least(threshold);
          expect(logE(-1, k, n, upper * 0.999, D)).to.be.below(threshold);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('the confidence sequence knows nothing without requests and widens with the design effect', () => {
    expect(confidenceSequence(0, 0, 0.01)).to.deep.equal({ lower: 0, upper: 1 });
    const [narrow, wide] = [confidenceSequence(40, 500, 0.01), confidenceSequence(40, 500, 0.01, 2)];
    expect(wide.lower).to.be.below(narrow.lower);
    expect(wide.upper).to.be.above(narrow.upper);
  });

  it('the confidence sequence is about as wide as an independent one of the same error', () => {
    for (const [k, n] of [
      [10, 500],
      [40, 500],
      [1300, 60_000],
    ] as const) {
      const ours = confidenceSequence(k, n, 0.01);
      const theirs = betaBinomialConfidenceSequence(k, n, 0.02, 0.5, 0.5);
      const ratio = (ours.upper - ours.lower) / (theirs.upper - theirs.lower);
      expect(ratio, `${k}/${n}`).to.be.within(0.75, 1.15);
    }
  });
});

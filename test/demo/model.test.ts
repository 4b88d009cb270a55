import { expect } from 'chai';
import { drawPayment, type Payment, score, type WEIGHTS } from '../../src/demo/model.js';
import { seededRandom } from '../../src/demo/random.js';
import { psi } from './exposition.js';

const random = seededRandom(99, 'payments');
const payments = Array.from({ length: 10_000 }, () => drawPayment(random));
const TYPICAL: Payment = { amountEur: 40, distanceKm: 8, accountAgeDays: 600 };

function scores(release: keyof typeof WEIGHTS, drawn: readonly Payment[] = payments): number[] {
  return drawn.map((payment) => score(release, payment));
}

function tenths(values: readonly number[]): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const value of values) counts[Math.floor(value * 10)]! += 1;
  return counts;
}

describe('demo model', () => {
  it('gives the score that its documented formula gives', () => {
    expect(score('baseline', { amountEur: 0, distanceKm: 0, accountAgeDays: 0 })).to.be.closeTo(0.1192, 1e-4);
    // -2 + 0.8 ln 41 + 0.5 ln 9 - 0.5 ln 601 = -1.1298
    expect(score('baseline', TYPICAL)).to.be.closeTo(0.2442, 1e-4);
  });

  it('finds higher amounts, longer distances and younger accounts more suspicious', () => {
    for (const release of ['baseline', 'canary'] as const) {
      const typical = score(release, TYPICAL);
      for (const change of [{ amountEur: 400 }, { distanceKm: 80 }, { accountAgeDays: 6 }]) {
        expect(score(release, { ...TYPICAL, ...change }), JSON.stringify(change)).to.be.above(typical);
      }
    }
  });

  it('stays within (0, 1) for extreme payments', () => {
    for (const extreme of [0, 1e12]) {
      for (const name of Object.keys(TYPICAL)) {
        expect(score('canary', { ...TYPICAL, [name]: extreme }), `${name} ${extreme}`)
          .to.be.above(0)
          .and.below(1);
      }
    }
  });

  it('uses every tenth of the scale, so that a shift shows', () => {
    expect(Math.min(...tenths(scores('baseline')))).to.be.above(20);
  });

  it('gives nearly the same distribution in both releases, though not the same scores', () => {
    expect(psi(tenths(scores('canary')), tenths(scores('baseline')))).to.be.below(0.005);
    expect(score('canary', TYPICAL)).to.not.equal(score('baseline', TYPICAL));
  });

  it('gives another distribution when account ages come in hours', () => {
    const inHours = payments.map((payment) => ({ ...payment, accountAgeDays: payment.accountAgeDays * 24 }));
    expect(psi(tenths(scores('canary', inHours)), tenths(scores('baseline')))).to.be.above(0.5);
  });
});

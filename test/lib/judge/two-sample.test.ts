import { expect } from 'chai';
import { logE } from '../../../src/lib/judge/rate-evidence.js';
import { mixtureLogE, startMixture, stepMixture } from '../../../src/lib/judge/start-mixture.js';
import { nullShare, stepTwoSample, twoSample, twoSampleLogE } from '../../../src/lib/judge/two-sample.js';
import { binomial, expectClose, golden } from './golden.js';

interface TwoSampleCase {
  ticks: [kc: number, nc: number, kb: number, nb: number][];
  r: number;
  dir: 1 | -1;
  logE: number;
}

function evidence(dir: 1 | -1, ticks: TwoSampleCase['ticks'], ratio: number, D?: number): number {
  const state = twoSample(dir);
  for (const [kc, nc, kb, nb] of ticks) stepTwoSample(state, kc, nc, kb, nb, ratio, D);
  return twoSampleLogE(state);
}

describe('two-sample evidence', () => {
  golden<TwoSampleCase[]>('two_sample').forEach((c, i) => {
    it(`agrees with 50-digit values, case ${i + 1} (ratio ${c.r})`, () => {
      expectClose(evidence(c.dir, c.ticks, c.r), c.logE);
    });
  });

  it('the null share is the canary share of requests, weighted by the ratio', () => {
    expectClose(nullShare(500, 4500, 1), 0.1);
    expectClose(nullShare(500, 4500, 1.25), 625 / 5125);
  });

  it('ticks without traffic in one arm compare nothing', () => {
    expect(nullShare(0, 100, 1)).to.equal(1);
    expect(nullShare(100, 0, 1)).to.equal(1);
    expect(nullShare(0, 0, 1)).to.equal(1);
    for (const [nc, nb] of [
      [0, 100],
      [100, 0],
      [0, 0],
    ] as const) {
      expectClose(evidence(1, [[9, nc, 3, nb]], 1), 0);
      expectClose(evidence(-1, [[9, nc, 3, nb]], 1), 0);
      const mixture = startMixture(1);
      stepMixture(mixture, 9, 12, nullShare(nc, nb, 1));
      expectClose(mixtureLogE(mixture), 0);
    }
  });

  it('is the plain evidence on the pooled bad events when traffic shares stay the same', () => {
    const ticks: TwoSampleCase['ticks'] = [
      [20, 500, 50, 4500],
      [25, 500, 40, 4500],
    ];
    const q = nullShare(500, 4500, 1.25);
    expectClose(evidence(1, ticks, 1.25, 2), logE(1, 45, 135, q, 2));
    expectClose(evidence(-1, ticks, 1.25, 2), logE(-1, 45, 135, q, 2));
  });

  it('takes an incident that hits both arms alike for none of the canary', () => {
    expect(evidence(1, [[100, 500, 900, 4500]], 1.25)).to.be.below(0);
    expect(evidence(1, [[100, 500, 90, 4500]], 1.25)).to.be.above(Math.log(100));
  });

  it('never favours the bet in expectation, whatever the common rate', () => {
    for (const ratio of [1, 2])
      for (const rate of [0.01, 0.1, 0.45]) {
        const [canary, baseline] = [binomial(20, ratio * rate), binomial(60, rate)];
        const mean = (dir: 1 | -1) =>
          canary.reduce(
            (sum, a, kc) =>
              sum +
              baseline.reduce((inner, b, kb) => inner + a * b * Math.exp(evidence(dir, [[kc, 20, kb, 60]], ratio)), 0),
            0,
          );
        expect(mean(1), `ratio ${ratio} rate ${rate}`).to.be.at.most(1 + 1e-10);
        expect(mean(-1), `ratio ${ratio} rate ${rate}`).to.be.at.most(1 + 1e-10);
      }
  });
});

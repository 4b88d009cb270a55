import { expect } from 'chai';
import fc from 'fast-check';
import { LN_PSI, LN_W, logE } from '../../../src/lib/judge/rate-evidence.js';
import {
  mixtureLogE,
  mixtureOnset,
  type StartMixture,
  startMixture,
  stepMixture,
} from '../../../src/lib/judge/start-mixture.js';
import { expectClose, golden, uniform } from './golden.js';

interface MixtureCase {
  name: string;
  p0: number;
  T: number;
  w0: number;
  ticks: [number, number][];
  D: number[] | null;
  logE: number[];
}
interface Tick {
  k: number;
  n: number;
  p0: number;
  D: number;
}

/** Likelihood ratio of one bet for one tick, straight from its definition. */
function factor(lambda: number, { k, n, p0, D }: Tick): number {
  return Math.exp((k * lambda - n * Math.log(1 + p0 * (Math.exp(lambda) - 1))) / D);
}

/** Sum over all starts of weight times product, straight from the definition. */
function bruteForce(ticks: Tick[], planned: number, w0: number): number {
  let total = 0;
  for (let start = 1; start <= planned; start++) {
    const weight = planned === 1 ? 1 : start === 1 ? w0 : (1 - w0) / (planned - 1);
    const suffix = ticks.slice(start - 1);
    total += LN_PSI.reduce(
      (sum, lambda, j) => sum + weight * Math.exp(LN_W[j]!) * suffix.reduce((p, tick) => p * factor(lambda, tick), 1),
      0,
    );
  }
  return total;
}

function bruteForceOnset(ticks: Tick[]): number {
  let best = { ratio: Number.NEGATIVE_INFINITY, start: 0 };
  for (let start = 1; start <= ticks.length; start++)
    for (const lambda of LN_PSI) {
      const ratio = ticks.slice(start - 1).reduce((sum, tick) => sum + Math.log(factor(lambda, tick)), 0);
      if (ratio > best.ratio) best = { ratio, start };
    }
  return best.ratio > 0 ? best.start : 0;
}

function fold(ticks: Tick[], planned: number, w0?: number): StartMixture {
  const state = startMixture(planned, w0);
  for (const { k, n, p0, D } of ticks) stepMixture(state, k, n, p0, D);
  return state;
}

const anyTick = fc.record({
  k: fc.nat(10),
  n: fc.integer({ min: 10, max: 60 }),
  p0: fc.constantFrom(0.02, 0.05, 0.3),
  D: fc.constantFrom(1, 1.5, 4),
});
const tick = (k: number, n: number): Tick => ({ k, n, p0: 0.02, D: 1 });

describe('start mixture', () => {
  for (const c of golden<MixtureCase[]>('start_mixture')) {
    it(`agrees with 50-digit values at every tick: ${c.name}`, () => {
      const state = startMixture(c.T, c.w0);
      c.ticks.forEach(([k, n], i) => {
        stepMixture(state, k, n, c.p0, c.D?.[i] ?? 1);
        expectClose(mixtureLogE(state), c.logE[i]!, `tick ${i + 1}`);
      });
    });
  }

  it('is the weighted sum over all starts, also past the planned ticks', () => {
    fc.assert(
      fc.property(
        fc.array(anyTick, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0.2, 0.5, 0.9),
        (ticks, planned, w0) => {
          expectClose(mixtureLogE(fold(ticks, planned, w0)), Math.log(bruteForce(ticks, planned, w0)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is a fair bet over all outcomes of a short window: the expected e-value is 1', () => {
    const p0 = 0.2;
    let mean = 0;
    for (let outcome = 0; outcome < 2 ** 8; outcome++) {
      const bad = Array.from({ length: 8 }, (_, i) => (outcome >> i) & 1);
      const state = fold(
        bad.map((k) => ({ k, n: 1, p0, D: 1 })),
        6,
      );
      mean += bad.reduce((p, k) => p * (k === 1 ? p0 : 1 - p0), 1) * Math.exp(mixtureLogE(state));
    }
    expect(mean).to.be.closeTo(1, 1e-12);
  });

  it('with one planned tick, is the plain evidence', () => {
    expectClose(mixtureLogE(fold([tick(40, 500)], 1)), logE(1, 40, 500, 0.02));
  });

  it('finds a late regression sooner than evidence from the start alone', () => {
    const good = Array.from({ length: 20 }, () => tick(5, 500));
    const bad = [tick(28, 500), tick(28, 500)];
    const plain = logE(1, 156, 11_000, 0.02);
    expect(mixtureLogE(fold([...good, ...bad], 24))).to.be.above(Math.log(100));
    expect(plain).to.be.below(0);
  });

  it('has no weight left to lose or win after the planned ticks', () => {
    const state = fold([tick(0, 500), tick(0, 500), tick(0, 500)], 3);
    expect(state.spent).to.equal(1);
    const starts = state.logS.length;
    stepMixture(state, 0, 500, 0.02);
    expect(state.spent).to.equal(1);
    expect(state.logS).to.have.length(starts);
  });

  it('says nothing before the first tick, on empty ticks, and when the boundary is 1', () => {
    const state = startMixture(10);
    expectClose(mixtureLogE(state), 0);
    expect(mixtureOnset(state)).to.equal(null);
    stepMixture(state, 0, 0, 0.02);
    stepMixture(state, 7, 7, 1);
    expectClose(mixtureLogE(state), 0);
    expect(mixtureOnset(state)).to.equal(null);
  });

  it('does not overflow, and survives being stored as JSON at every tick', () => {
    let state = startMixture(100);
    for (let i = 0; i < 200; i++) {
      state = JSON.parse(JSON.stringify(state)) as StartMixture;
      stepMixture(state, 1e6, 1e6, 0.001);
    }
    expect(mixtureLogE(state)).to.be.above(1e8).and.to.satisfy(Number.isFinite);
    expect(mixtureOnset(state)).to.equal(1);
    const healthy = startMixture(100);
    for (let i = 0; i < 200; i++) stepMixture(healthy, 0, 1e9, 0.02);
    expect(mixtureLogE(healthy)).to.be.below(-1e6).and.to.satisfy(Number.isFinite);
  });

  it('tells where the regression began', () => {
    const good = Array.from({ length: 6 }, () => tick(5, 500));
    expect(mixtureOnset(fold(good, 24))).to.equal(null);
    expect(mixtureOnset(fold([...good, tick(40, 500)], 24))).to.equal(7);
    expect(mixtureOnset(fold([...good, tick(40, 500), tick(38, 500), tick(41, 500)], 24))).to.equal(7);
    expect(mixtureOnset(fold([tick(0, 0), tick(40, 500)], 24))).to.equal(2);
  });

  it('the onset is the start of the suffix with the largest likelihood ratio', () => {
    fc.assert(
      fc.property(fc.array(anyTick, { minLength: 1, maxLength: 10 }), (ticks) => {
        expect(mixtureOnset(fold(ticks, 12)) ?? 0).to.equal(bruteForceOnset(ticks));
      }),
    );
  });

  it('crosses 1/alpha in at most alpha of the canaries that only just meet their target', () => {
    const random = uniform(7);
    let crossed = 0;
    for (let run = 0; run < 200; run++) {
      const state = startMixture(24);
      for (let i = 0; i < 24; i++) {
        let k = 0;
        for (let r = 0; r < 50; r++) if (random() < 0.05) k++;
        stepMixture(state, k, 50, 0.05);
        if (mixtureLogE(state) >= Math.log(20)) {
          crossed++;
          break;
        }
      }
    }
    expect(crossed).to.be.at.most(10);
  });
});

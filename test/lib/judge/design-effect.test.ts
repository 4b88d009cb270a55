import { expect } from 'chai';
import fc from 'fast-check';
import {
  type DesignEffect,
  designEffect,
  estimateDesignEffect,
  stepDesignEffect,
} from '../../../src/lib/judge/design-effect.js';
import { expectClose, uniform } from './golden.js';

type Tick = [k: number, n: number];

function fold(ticks: Tick[]): DesignEffect {
  const state = designEffect();
  for (const [k, n] of ticks) stepDesignEffect(state, k, n);
  return state;
}

/** The definition, over all ticks at once. */
function direct(ticks: Tick[]): number {
  const seen = ticks.filter(([, n]) => n > 0);
  const sum = (i: 0 | 1) => seen.reduce((acc, tick) => acc + tick[i], 0);
  const p = (sum(0) + 0.5) / (sum(1) + 1);
  const terms = seen.slice(1).map(([k, n], i) => {
    const [k0, n0] = seen[i]!;
    return (k / n - k0 / n0) ** 2 / (p * (1 - p) * (1 / n + 1 / n0));
  });
  terms.sort((a, b) => a - b).pop();
  return Math.max(1, (8 + terms.reduce((a, b) => a + b, 0)) / (4 + terms.length));
}

/** Ticks of 100 requests at the given rate, in groups of `size` that share one fate. */
function simulate(seed: number, size: number, rates: number[]): Tick[] {
  const random = uniform(seed);
  return rates.map((rate) => {
    let k = 0;
    for (let i = 0; i < 100; i += size) if (random() < rate) k += size;
    return [k, 100];
  });
}

describe('design effect', () => {
  it('is 2 before it has seen anything to compare', () => {
    expect(estimateDesignEffect(designEffect())).to.equal(2);
    expect(estimateDesignEffect(fold([[5, 100]]))).to.equal(2);
    expect(
      estimateDesignEffect(
        fold([
          [5, 100],
          [50, 100],
        ]),
      ),
      'the only difference is the largest, which is left out',
    ).to.equal(2);
  });

  it('is what its definition gives over all ticks at once, also through JSON', () => {
    const tick = fc
      .integer({ min: 0, max: 1000 })
      .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 30 }), (ticks) => {
        const stored = JSON.parse(JSON.stringify(fold(ticks))) as DesignEffect;
        expectClose(estimateDesignEffect(stored), direct(ticks));
      }),
    );
  });

  it('tends to 1 for independent requests and to the group size for groups', () => {
    const rates = new Array<number>(400).fill(0.1);
    expect(estimateDesignEffect(fold(simulate(1, 1, rates)))).to.be.within(1, 1.25);
    expect(estimateDesignEffect(fold(simulate(2, 10, rates)))).to.be.within(7.5, 12.5);
  });

  it('hardly notices a single shift of the level', () => {
    const shift = [...new Array<number>(30).fill(0.02), ...new Array<number>(30).fill(0.3)];
    expect(estimateDesignEffect(fold(simulate(3, 1, shift)))).to.be.below(1.6);
  });

  it('is not moved by ticks without requests, and survives all-good and all-bad ticks', () => {
    const some: Tick[] = [
      [5, 100],
      [9, 100],
      [2, 100],
    ];
    const gaps = some.flatMap((tick): Tick[] => [[0, 0], tick, [0, 0]]);
    expect(fold(gaps)).to.deep.equal(fold(some));
    expect(estimateDesignEffect(fold(new Array<Tick>(20).fill([0, 100])))).to.equal(1);
    expect(estimateDesignEffect(fold(new Array<Tick>(20).fill([100, 100])))).to.equal(1);
  });
});

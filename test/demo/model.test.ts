import { expect } from 'chai';
import { type Model, RELEASES, score, trainModel } from '../../src/demo/model.js';
import { ACCOUNT_AGE, drawExample } from '../../src/demo/population.js';
import { seededRandom } from '../../src/demo/random.js';
import { psi } from './exposition.js';

const random = seededRandom(99, 'held-out payments');
const heldOut = Array.from({ length: 10_000 }, () => drawExample(random));

function scores(model: Model, change: (features: number[]) => number[] = (features) => features): number[] {
  return heldOut.map((example) => score(model, change(example.features)));
}

function tenths(values: readonly number[]): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const value of values) counts[Math.floor(value * 10)]! += 1;
  return counts;
}

function accuracy(values: readonly number[]): number {
  return values.filter((value, i) => (value > 0.5 ? 1 : 0) === heldOut[i]?.label).length / values.length;
}

describe('demo model', function () {
  this.timeout(10_000);
  let baseline: Model;
  let canary: Model;
  before(() => {
    baseline = trainModel(RELEASES.baseline);
    canary = trainModel(RELEASES.canary);
  });

  it('is right on unseen payments clearly more often than always saying "no fraud"', () => {
    const always = heldOut.filter((example) => example.label === 0).length / heldOut.length;
    expect(always).to.be.within(0.6, 0.75);
    expect(accuracy(scores(baseline))).to.be.above(always + 0.07);
    expect(accuracy(scores(canary))).to.be.above(always + 0.07);
  });

  it('is calibrated: the mean score is the share of fraud', () => {
    const fraud = heldOut.filter((example) => example.label === 1).length / heldOut.length;
    for (const model of [baseline, canary]) {
      const given = scores(model);
      expect(given.reduce((sum, value) => sum + value, 0) / given.length).to.be.closeTo(fraud, 0.02);
    }
  });

  it('is the same model when trained again with the same options, another with another seed', () => {
    const small = { seed: 5, samples: 500, epochs: 5, members: 2 };
    expect(trainModel(small)).to.deep.equal(trainModel(small));
    expect(trainModel({ ...small, seed: 6 })).to.not.deep.equal(trainModel(small));
  });

  it('scores within (0, 1) whatever the features', () => {
    for (const extreme of [0, 1e12]) {
      for (let f = 0; f < 6; f++) {
        const features = [40, 8, 900, 2, 0.3, 12].map((value, i) => (i === f ? extreme : value));
        expect(score(canary, features)).to.be.above(0).and.below(1);
      }
    }
  });

  it('gives nearly the same distribution in both releases, though not the same scores', () => {
    expect(psi(tenths(scores(canary)), tenths(scores(baseline)))).to.be.below(0.005);
    expect(scores(canary)).to.not.deep.equal(scores(baseline));
  });

  it('gives another distribution when account ages come in hours', () => {
    const inHours = (features: number[]): number[] =>
      features.map((value, f) => (f === ACCOUNT_AGE ? value * 24 : value));
    expect(psi(tenths(scores(canary, inHours)), tenths(scores(baseline)))).to.be.above(0.5);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { planPolicy } from '../../../src/lib/judge/plan.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { judge } from '../../../src/lib/judge/report.js';

const policyOf = (more: object = {}): Policy =>
  parsePolicy({ windowSeconds: 120, targets: { max_error_rate: 0.02 }, ...more });

const errorPlan = (policy: Policy, requestsPerSecond: number, errorRate?: number) =>
  planPolicy(policy, { requestsPerSecond, expected: errorRate === undefined ? {} : { errorRate } }).objectives.find(
    ({ name }) => name === 'error_rate',
  )!;

/** A canary with exactly this share of errors at a steady traffic, looked at once an interval. */
function steady(policy: Policy, requestsPerSecond: number, rate: number): Observation[] {
  const { intervalSeconds, maxWindowSeconds } = policy;
  let failed = 0;
  return Array.from({ length: Math.ceil(maxWindowSeconds / intervalSeconds) + 1 }, (_, tick) => {
    const total = tick === 0 ? 0 : requestsPerSecond * intervalSeconds;
    const bad = Math.round(rate * requestsPerSecond * intervalSeconds * tick) - failed;
    failed += bad;
    const t = tick * intervalSeconds * 1000;
    const errors = tick === 0 ? ({ state: 'first' } as const) : ({ state: 'ok', bad, total } as const);
    return { v: 1, tick, t, from: Math.max(0, t - intervalSeconds * 1000), canary: { errors } };
  });
}

describe('planPolicy', () => {
  it('needs about 2,100 requests to certify half of a 2% target', () => {
    const { promotion, p0, expectedRate } = errorPlan(policyOf(), 100);
    expect({ p0, expectedRate }).to.deep.equal({ p0: 0.02, expectedRate: 0.01 });
    expect(promotion.method).to.equal('clopper-pearson');
    expect(promotion.likelyRequests).to.be.within(1900, 2200);
    expect(promotion.requests).to.be.below(promotion.likelyRequests!);
  });

  it('says whether the window sees enough, and which traffic would', () => {
    const slow = errorPlan(policyOf(), 10).promotion;
    expect(slow).to.include({ decidable: false, seconds: null });
    const enough = errorPlan(policyOf(), slow.smallestRequestsPerSecond!).promotion;
    expect(enough).to.include({ decidable: true, seconds: 120 });
    expect(errorPlan(policyOf(), slow.smallestRequestsPerSecond! * 0.99).promotion.decidable).to.equal(false);
  });

  it('uses the test that the policy will use', () => {
    expect(errorPlan(policyOf({ promote: 'early' }), 100).promotion.method).to.equal('e-process');
    expect(errorPlan(policyOf({ onInconclusive: 'extend' }), 100).promotion.method).to.equal('e-process');
    const [exact, anytime] = [policyOf(), policyOf({ promote: 'early' })].map((p) => errorPlan(p, 100).promotion);
    expect(anytime!.requests).to.be.above(1.5 * exact!.requests!);
  });

  it('promotes early at a look, and an extended window after its end', () => {
    expect(errorPlan(policyOf({ promote: 'early' }), 100).promotion.seconds)
      .to.be.below(120)
      .and.satisfy((seconds: number) => seconds % 5 === 0);
    const extended = errorPlan(policyOf({ onInconclusive: 'extend' }), 20).promotion;
    expect(extended.seconds).to.be.within(125, 360);
    expect(errorPlan(policyOf({ onInconclusive: 'extend' }), 1000).promotion.seconds).to.equal(120);
  });

  it('has no number for what is never certified', () => {
    expect(errorPlan(policyOf(), 1e6, 0.02).promotion).to.include({
      requests: null,
      likelyRequests: null,
      decidable: false,
      seconds: null,
      smallestRequestsPerSecond: null,
    });
  });

  it('needs as many times the requests as share one fate', () => {
    const one = errorPlan(policyOf(), 100);
    const ten = errorPlan(policyOf({ designEffect: { batchSize: 10 } }), 100);
    expect(ten.promotion.likelyRequests! / one.promotion.likelyRequests!).to.be.closeTo(10, 0.2);
    expect(ten.rollback[0]!.requests! / one.rollback[0]!.requests!).to.be.closeTo(10, 0.2);
  });

  it('plans latency by its share of slow requests, at an expected one when it is told', () => {
    const policy = parsePolicy({ windowSeconds: 120, targets: { latency_p95_ms: 250, latency_p99_ms: 900 } });
    const [p95, p99] = planPolicy(policy, { requestsPerSecond: 50 }).objectives;
    expect(p95).to.deep.include({ name: 'latency_p95_ms', p0: 0.05, expectedRate: 0.025 });
    expect(p99).to.deep.include({ name: 'latency_p99_ms', p0: 0.01, expectedRate: 0.005 });
    const near = planPolicy(policy, { requestsPerSecond: 50, expected: { slowRate: 0.04 } }).objectives[0]!;
    expect(near.promotion.likelyRequests).to.be.above(3 * p95!.promotion.likelyRequests!);
  });

  it('names what it cannot plan', () => {
    const policy = policyOf({
      targets: { max_drift: 0.15 },
      relative: { max_error_ratio: 2 },
      objectives: ['ttft < 800'],
    });
    const plan = planPolicy(policy, { requestsPerSecond: 10 });
    expect(plan.objectives).to.deep.equal([]);
    expect(plan.unplanned.map(({ name }) => name)).to.deep.equal(['drift', 'error_ratio', 'ttft']);
  });

  it('leaves out regressions that no rate can reach', () => {
    const policy = parsePolicy({ windowSeconds: 60, targets: { latency_p50_ms: 80, max_error_rate: 0.3 } });
    const [half, errors] = planPolicy(policy, { requestsPerSecond: 50 }).objectives;
    expect(half!.rollback).to.deep.equal([]);
    expect(errors!.rollback.map(({ times }) => times)).to.deep.equal([2]);
  });

  it('tells the worse regression sooner, and says when the window is too short', () => {
    const { rollback } = errorPlan(policyOf(), 10);
    expect(rollback[1]!.requests).to.be.below(rollback[0]!.requests! / 3);
    expect(errorPlan(policyOf(), 1).rollback[0]).to.include({ times: 2, rate: 0.04, seconds: null });
  });

  it('foresees the tick at which the judge rolls a steady regression back', () => {
    const policy = policyOf({ windowSeconds: 600, designEffect: { estimate: false } });
    for (const [requestsPerSecond, times] of [
      [10, 4],
      [20, 4],
      [20, 2],
      [100, 2],
    ] as const) {
      const planned = errorPlan(policy, requestsPerSecond).rollback.find((plan) => plan.times === times)!;
      const verdict = judge(policy, 0, steady(policy, requestsPerSecond, times * 0.02));
      expect(verdict.decision).to.equal('rollback');
      expect(verdict.elapsedSeconds).to.be.closeTo(planned.seconds!, 2 * policy.intervalSeconds);
    }
  });

  it('foresees whether the judge promotes a steady canary', () => {
    const traffic = fc.integer({ min: 1, max: 60 });
    const estimate = { designEffect: { estimate: false } };
    const policies = [policyOf(estimate), policyOf({ promote: 'early', ...estimate })];
    fc.assert(
      fc.property(traffic, fc.constantFrom(...policies), (requestsPerSecond, policy) => {
        const { promotion } = errorPlan(policy, requestsPerSecond);
        const verdict = judge(policy, 0, steady(policy, requestsPerSecond, 0.01));
        if (promotion.decidable) expect(verdict.decision).to.equal('promote');
        if (promotion.requests! > 1.02 * requestsPerSecond * 120) expect(verdict.decision).to.equal('block');
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a traffic of nothing', () => {
    expect(() => planPolicy(policyOf(), { requestsPerSecond: 0 })).to.throw(RangeError, 'above 0');
  });
});

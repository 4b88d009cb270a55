import { expect } from 'chai';
import fc from 'fast-check';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { judge } from '../../../src/lib/judge/report.js';
import { numbersOf } from '../../../src/lib/view/index.js';
import { errors, histogram, looks, missing, policy, START, scalar } from '../judge/looks.js';

const of = (asked: Policy, observations: readonly Observation[], extended = false) =>
  numbersOf(judge(asked, START, observations), asked, extended);
const errorRate = policy({ targets: { max_error_rate: 0.02 } });

describe('the numbers of a canary', () => {
  it('say when they are from, and how long the window lasts after that', () => {
    const observations = looks(4, () => ({ canary: errors(1, 500) }));
    const numbers = of(errorRate, observations);
    expect(numbers).to.deep.include({
      check: 4,
      phase: 'window',
      elapsedSeconds: 20,
      windowSeconds: 60,
      secondsLeft: 40,
    });
    expect([Date.parse(numbers.at), Date.parse(numbers.windowEndsAt)]).to.deep.equal([START + 20_000, START + 60_000]);
    const extending = policy({ targets: { max_error_rate: 0.02 }, onInconclusive: 'extend' });
    expect(of(extending, observations, true)).to.deep.include({ windowSeconds: 180, secondsLeft: 160 });
    const warming = policy({ targets: { max_error_rate: 0.02 }, warmupSeconds: 30 });
    expect(of(warming, observations)).to.deep.include({ phase: 'warm_up', secondsLeft: 70, elapsedSeconds: 0 });
    expect(
      of(
        errorRate,
        looks(4, () => ({ canary: errors(90, 500) })),
      ),
    ).to.deep.include({ phase: 'decided', secondsLeft: null });
  });

  it('have for each kind of objective its value beside its limit in one unit, and what it rests on', () => {
    const all = policy({
      targets: { latency_p95_ms: 250, max_error_rate: 0.02 },
      relative: { max_error_ratio: 2 },
      objectives: [{ name: 'gpu', op: '<=', value: 0.9 }],
    });
    const arm = { ...errors(5, 500), latency: histogram([100, 250, 500], [400, 80, 15, 5]) };
    const { objectives } = of(
      all,
      looks(2, () => ({ canary: arm, baseline: { ...arm, ...errors(4, 500) }, scalars: { gpu: scalar(0.45) } })),
    );
    const [latency, rate, ratio, gpu] = ['latency_p95_ms', 'error_rate', 'error_ratio', 'gpu'].map((name) =>
      objectives.find((o) => o.name === name),
    );
    expect(latency).to.deep.include({ unit: 'ms', limit: 250, n: 1000, bad: 40, share: 0.04, shareLimit: 0.05 });
    expect(latency?.value).to.be.within(100, 250);
    expect(latency?.headroom).to.be.within(0, 1);
    expect(rate).to.deep.include({ unit: 'share', value: 0.01, limit: 0.02, headroom: 0.5, n: 1000, bad: 10 });
    expect(ratio).to.deep.include({ unit: 'ratio', value: 1.25, limit: 2, shareLimit: null });
    expect(gpu).to.deep.include({
      unit: '1',
      op: '<=',
      value: 0.45,
      limit: 0.9,
      headroom: 0.5,
      n: 2,
      bad: 0,
      logE: null,
    });
  });

  it('are shares where a value lies above every bucket', () => {
    const slow = policy({ targets: { latency_p95_ms: 250 } });
    const { objectives } = of(
      slow,
      looks(1, () => ({ canary: { latency: histogram([100, 250], [90, 0, 10]) } })),
    );
    expect(objectives[0]).to.deep.include({ unit: 'share', value: 0.1, limit: 0.05, headroom: -1 });
  });

  it('are null where data is missing, with why; never a number', () => {
    for (const state of ['unreachable', 'absent', 'stale'] as const) {
      const { objectives } = of(
        errorRate,
        looks(3, () => ({ canary: { errors: missing(state) } })),
      );
      expect(objectives[0]).to.deep.include({
        state: 'no_data',
        value: null,
        headroom: null,
        share: null,
        bounds: null,
      });
      expect(objectives[0]?.missing).to.include(state);
    }
    const before = numbersOf(
      judge(
        errorRate,
        START,
        looks(0, () => ({})),
      ),
      errorRate,
    );
    expect(before.objectives[0]).to.deep.include({ state: 'no_data', value: null, n: 0 });
  });

  it('agree with the verdict, whatever was counted', () => {
    const counts = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 40, max: 900 })), {
      minLength: 1,
      maxLength: 14,
    });
    fc.assert(
      fc.property(counts, (found) => {
        const verdict = judge(
          errorRate,
          START,
          looks(found.length, (tick) => ({ canary: errors(...(found[tick - 1] as [number, number])) })),
        );
        const { evidence, objectives, secondsLeft, phase } = numbersOf(verdict, errorRate);
        const [o] = objectives;
        expect(phase === 'decided').to.equal(verdict.decision !== 'continue');
        expect(secondsLeft === null).to.equal(phase === 'decided');
        expect(evidence.toRollback).to.be.within(0, 1);
        if (verdict.decision === 'rollback') expect([evidence.toRollback, o?.state]).to.deep.equal([1, 'against']);
        if (verdict.decision === 'promote') expect(o?.state).to.equal('certified');
        // A test that is exact at the end of the window proves nothing before it.
        if (verdict.decision === 'continue') expect(o?.state).to.not.equal('certified');
        expect(o?.value).to.equal(o?.share);
        expect(o?.bounds?.lower).to.be.at.most(o?.value as number);
      }),
      { numRuns: 300 },
    );
  });
});

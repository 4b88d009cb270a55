import { expect } from 'chai';
import { nextSteps, why } from '../../../src/lib/explain/index.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { ReadingReport, Verdict } from '../../../src/lib/judge/verdict.js';
import { errors, looks, missing, policy, START, scalar } from './looks.js';

const TTFT = { windowSeconds: 600, intervalSeconds: 10, objectives: ['ttft_p95_ms < 800'] };

/** 60 checks: `at` says which number each has; null: NaN. */
const read = (at: (tick: number) => number | null, more: object = {}): Verdict =>
  judge(
    policy({ ...TTFT, ...more }),
    START,
    looks(
      60,
      (tick) => {
        const value = at(tick);
        const ttft_p95_ms = value === null ? missing('invalid') : scalar(value);
        return { canary: {}, scalars: { ttft_p95_ms } };
      },
      10,
    ),
  );
const reading = (v: Verdict) => v.objectives[0] as ReadingReport;

describe('readings of a window', () => {
  it('do not promote when too many fail, though never many in a row (two of three)', () => {
    const v = read((tick) => (tick % 3 === 0 ? 700 : 900));
    expect([v.decision, v.reason, v.decidedBy]).to.deep.equal(['block', 'inconclusive', 'ttft_p95_ms']);
    expect(reading(v)).to.include({ failing: 40, readings: 60, met: false });
    expect(why(v)).to.equal('ttft_p95_ms < 800: 40 of 60 readings failed (66.7%); at most 10% may');
    expect(nextSteps(v)[0]).to.match(/^Find out why ttft_p95_ms keeps missing its limit/);
  });

  it('promote when at most maxFailures of them fail', () => {
    expect(read((tick) => (tick % 10 === 1 ? 900 : 700)).decision).to.equal('promote');
    expect(read((tick) => (tick % 10 === 1 || tick === 2 ? 900 : 700)).decision).to.equal('block');
    expect(read((tick) => (tick % 3 === 0 ? 700 : 900), { maxFailures: 1 }).decision).to.equal('promote');
  });

  it('promote when one of 60 is missing, and not when more than maxMissing are', () => {
    expect(read((tick) => (tick === 30 ? null : 700)).decision).to.equal('promote');
    const many = read((tick) => (tick > 20 && tick <= 27 ? null : 700));
    expect(many.decision).to.equal('block');
    expect(why(many)).to.equal('ttft_p95_ms < 800: 7 of 60 readings are missing; at most 10% may be');
    const none = read((tick) => (tick === 30 ? null : 700), { maxMissing: 0 });
    expect(why(none)).to.equal('ttft_p95_ms < 800: 1 of 60 readings is missing; none may be');
  });

  it('never promote on a newest reading that is missing', () => {
    expect(read((tick) => (tick === 60 ? null : 700)).decision).not.to.equal('promote');
  });
});

describe('an objective that is only reported', () => {
  const both = { targets: { max_error_rate: 0.02 }, objectives: ['ttft < 800'] };
  const failing = looks(12, () => ({ canary: errors(0, 500), scalars: { ttft: scalar(900) } }));

  it('neither rolls back nor blocks, and is shown all the same', () => {
    expect(judge(policy(both), START, failing).decision).to.equal('rollback');
    const v = judge(policy({ ...both, reportOnly: ['ttft'] }), START, failing);
    expect([v.decision, v.certainty]).to.deep.equal(['promote', 'certified']);
    expect(v.objectives.find((o) => o.name === 'ttft')).to.include({ reportOnly: true, failing: 12, against: true });
    expect(v.objectives.find((o) => o.name === 'error_rate')).not.to.have.property('reportOnly');
  });

  it('takes no part in the evidence over all objectives', () => {
    const targets = { max_error_rate: 0.02, latency_p95_ms: 250 };
    const bad = looks(12, () => ({ canary: errors(100, 500) }));
    const v = judge(policy({ targets, reportOnly: ['max_error_rate'] }), START, bad);
    expect(v.evidence.logE).to.equal(0);
    expect(v.objectives.find((o) => o.name === 'error_rate')).to.deep.include({ reportOnly: true });
    expect(v.decision).to.equal('block');
  });

  it('has to be one of the policy, and not all of them', () => {
    expect(() => policy({ ...both, reportOnly: ['latency_p95_ms'] })).to.throw(/reportOnly\[0\].*is not an objective/);
    expect(() => policy({ ...both, reportOnly: ['ttft', 'error_rate'] })).to.throw(/names every objective/);
  });
});

import { expect } from 'chai';
import { nextDue } from '../../../src/lib/canary/schedule.js';
import { why } from '../../../src/lib/explain/index.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { RateReport } from '../../../src/lib/judge/verdict.js';
import { errors, histogram, type Look, look, looks, missing, policy, START } from './looks.js';

const p95 = { windowSeconds: 600, intervalSeconds: 5, targets: { latency_p95_ms: 250 } };
/** Slow for the first 30 s, as a service with a cold cache. */
const cold = (tick: number): Look => ({
  canary: { latency: histogram([100, 250, 1000], tick <= 6 ? [20, 0, 30, 0] : [50, 0, 0, 0]) },
});

describe('a warm-up', () => {
  it('is not judged; the window begins after it', () => {
    expect(judge(policy(p95), START, looks(126, cold))).to.include({ decision: 'rollback', tick: 1 });
    const v = judge(policy({ ...p95, warmupSeconds: 30 }), START, looks(126, cold));
    expect(v).to.include({ decision: 'promote', certainty: 'certified', tick: 126, elapsedSeconds: 600, coverage: 1 });
    expect(v.startedAt).to.equal(START + 30_000);
    expect(v.warmup).to.deep.equal({ seconds: 30, looked: 6 });
    expect(v.ticks.looked).to.equal(120);
  });

  it('does not hide what is slow after it', () => {
    const v = judge(policy({ ...p95, warmupSeconds: 20 }), START, looks(126, cold));
    expect(v).to.include({ decision: 'rollback', tick: 5 });
  });

  it('takes counts that began in it for a starting point only', () => {
    const p = policy({ windowSeconds: 60, targets: { max_error_rate: 0.02 }, warmupSeconds: 8 });
    const v = judge(
      p,
      START,
      looks(3, (tick) => ({ canary: errors(tick <= 2 ? 300 : 0, 500) })),
    );
    const rate = v.objectives[0] as RateReport;
    expect(v.decision).to.equal('continue');
    expect(rate).to.include({ bad: 0, total: 500 });
  });

  it('in which nothing answers is no silence of the window', () => {
    const p = policy({ windowSeconds: 120, targets: { max_error_rate: 0.02 }, warmupSeconds: 100 });
    const silent = (tick: number): Look => ({
      canary: tick < 20 ? { errors: missing('unreachable') } : errors(0, 500),
    });
    expect(judge(p, START, looks(43, silent)).decision).to.equal('continue');
    const promoted = judge(p, START, looks(44, silent));
    expect([promoted.decision, promoted.tick]).to.deep.equal(['promote', 44]);
  });

  it('after which a canary stays silent is blocked for that', () => {
    const p = policy({ windowSeconds: 300, targets: { max_error_rate: 0.02 }, warmupSeconds: 30 });
    // The last counts were read at the start, so every later look covers the time since then.
    const dead = looks(60, () => ({ canary: { errors: missing('unreachable') } })).map((o) => ({ ...o, from: START }));
    const v = judge(p, START, dead);
    expect([v.decision, v.elapsedSeconds]).to.deep.equal(['block', 90]);
    expect(why(v)).to.match(/^the metrics source was unreachable for 90 s/);
  });

  it('ends with a look, and so does the window after it', () => {
    const p = policy({ windowSeconds: 60, targets: { max_error_rate: 0.02 }, warmupSeconds: 7 });
    const due: number[] = [];
    for (let at = START; at < START + 67_000; ) {
      at = nextDue(p, START, at);
      due.push(at - START);
    }
    expect(due).to.include.members([7000, 67_000]);
    expect(judge(p, START, [look(0, 0, 0, {}), look(1, 5, 0, {})]).elapsedSeconds).to.equal(0);
  });
});

import { expect } from 'chai';
import { why } from '../../../src/lib/explain/index.js';
import { objectiveCell } from '../../../src/lib/explain/objective-cells.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { DriftReport, Verdict } from '../../../src/lib/judge/verdict.js';
import { histogram, type Look, looks, missing, policy, START } from './looks.js';

const p = policy({ windowSeconds: 300, targets: { max_drift: 0.15 } });
const categories = (counts: Record<string, number>) => ({ categories: { state: 'ok' as const, counts } });
const of = (canary: Record<string, number>, baseline: Record<string, number>): Verdict =>
  judge(
    p,
    START,
    looks(60, () => ({ canary: categories(canary), baseline: categories(baseline) })),
  );
const drift = (v: Verdict) => v.objectives[0] as DriftReport;

describe('drift of categories', () => {
  it('is certified where both versions answer alike', () => {
    const v = of({ stop: 48, length: 12 }, { length: 118, stop: 482 });
    expect([v.decision, v.certainty]).to.deep.equal(['promote', 'certified']);
    expect(drift(v)).to.include({ by: 'categories', bins: 2, canaryTotal: 3600, baselineTotal: 36_000 });
    expect(objectiveCell(drift(v))).to.match(/^✓ drift {2}0\.00 \(limit 0\.15\)/);
  });

  it('is certified where both have one and the same value, and not where the canary has another', () => {
    expect(of({ stop: 60 }, { stop: 600 }).decision).to.equal('promote');
    expect(of({ halt: 60 }, { stop: 600 }).decision).to.equal('rollback');
  });

  it('rolls back where they do not', () => {
    const v = of({ stop: 20, length: 40 }, { stop: 480, length: 120 });
    expect([v.decision, v.reason]).to.deep.equal(['rollback', 'evidence_against']);
    expect(why(v)).to.match(/^drift too high: PSI .* counts of the canary/);
  });

  it('counts a value that only the canary has, or that comes later', () => {
    const only = of({ stop: 40, error: 20 }, { stop: 600 });
    expect(only.decision).to.equal('rollback');
    const later = judge(
      p,
      START,
      looks(60, (tick): Look => {
        const canary = tick < 20 ? { stop: 60 } : { stop: 30, error: 30 };
        return {
          canary: categories(canary as Record<string, number>),
          baseline: categories({ stop: 590, length: 10 }),
        };
      }),
    );
    expect(later.decision).to.equal('rollback');
    expect(later.tick).to.be.above(20);
  });

  it('does not hide in many values that hardly ever come', () => {
    // 200 rare values: taken one by one, the bias that is taken off for them would exceed the drift of the others.
    const rare = (tick: number) => ({ [`rare-${tick}`]: 1 });
    const v = judge(
      policy({ windowSeconds: 1000, targets: { max_drift: 0.15 } }),
      START,
      looks(200, (tick) => ({
        canary: categories({ a: 4, b: 12, ...rare(tick) }),
        baseline: categories({ a: 12, b: 4 }),
      })),
    );
    expect(v.decision).to.equal('rollback');
    expect(drift(v).bins).to.be.at.most(3);
  });

  it('says what is missing, and waits for enough', () => {
    const one = judge(
      p,
      START,
      looks(60, () => ({ canary: categories({ a: 10 }), baseline: { categories: missing('absent') } })),
    );
    expect(drift(one)).to.include({ hasData: false, missing: 'absent: baseline' });
    const few = of({}, {});
    expect(why(few)).to.match(/^drift: too few counts/);
  });

  it('does not depend on the order in which values are listed', () => {
    const [a, b] = [of({ x: 30, y: 30 }, { x: 300, y: 310 }), of({ y: 30, x: 30 }, { y: 310, x: 300 })];
    expect(a).to.deep.equal(b);
    expect(drift(of({ __proto__x: 3, constructor: 50 }, { constructor: 500 })).canaryTotal).to.equal(3180);
  });

  it('gives way to scores', () => {
    const both = { score: histogram([0.5], [30, 30]), ...categories({ a: 60 }) };
    const v = judge(
      p,
      START,
      looks(60, () => ({ canary: both, baseline: both })),
    );
    expect(drift(v)).not.to.have.property('by');
    expect(v.decision).to.equal('promote');
  });
});

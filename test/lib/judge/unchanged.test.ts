import { expect } from 'chai';
import type { ArmReading } from '../../../src/lib/judge/observation.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { DriftReport } from '../../../src/lib/judge/verdict.js';
import { errors, histogram, looks, missing, policy, START } from './looks.js';

const counts = (all: Record<string, number>) => ({ state: 'ok' as const, counts: all });

/** A source that has news of each arm at every third look, as with a scrape interval of three looks. */
describe('two arms that are scraped at different times', () => {
  const unchanged = { errors: missing('unchanged') };
  const every =
    (offset: number, bad: number) =>
    (tick: number): ArmReading =>
      tick % 3 === offset ? errors(bad, 150) : unchanged;
  const verdict = (offset: number, bad: number, rules: object) => {
    const [canary, baseline] = [every(1, bad), every(offset, bad)];
    const p = policy({ windowSeconds: 300, intervalSeconds: 5, ...rules });
    // The window ends at look 60; it is decided on the first news of its end.
    const { decision, reason } = judge(
      p,
      START,
      looks(63, (tick) => ({ canary: canary(tick), baseline: baseline(tick) })),
    );
    return { decision, reason };
  };

  for (const offset of [0, 1, 2]) {
    it(`cover the window (${offset})`, () => {
      const found = verdict(offset, 0, { targets: { max_error_rate: 0.02 }, baseline: 'required' });
      expect(found).to.include({ decision: 'promote', reason: 'certified_at_end' });
    });

    it(`are compared (${offset})`, () => {
      const found = verdict(offset, 12, { relative: { max_error_ratio: 3 } });
      expect(found).to.include({ decision: 'promote', reason: 'certified_at_end' });
    });

    it(`do not blame the canary for an incident of both (${offset})`, () => {
      const found = verdict(offset, 12, { targets: { max_error_rate: 0.02 } });
      expect(found).to.include({ decision: 'block', reason: 'not_attributable' });
    });

    for (const [what, good, bad] of [
      ['scores', { score: histogram([0.5], [90, 60]) }, { score: histogram([0.5], [20, 130]) }],
      ['categories', { categories: counts({ stop: 90, length: 60 }) }, { categories: counts({ stop: 20, halt: 130 }) }],
    ] as const) {
      const drift = (own: ArmReading) => {
        const nothing = Object.fromEntries(Object.keys(own).map((signal) => [signal, missing('unchanged')]));
        return judge(
          policy({ windowSeconds: 300, intervalSeconds: 5, targets: { max_drift: 0.15 } }),
          START,
          // One more of each arm: what came just before the end of the window does not show it.
          looks(63, (tick) => ({
            canary: tick % 3 === 1 ? own : nothing,
            baseline: tick % 3 === offset ? good : nothing,
          })),
        );
      };

      it(`are compared by their ${what} (${offset})`, () => {
        const found = drift(good);
        expect(found).to.include({ decision: 'promote', reason: 'certified_at_end' });
        // Of either arm, what came last may still wait for the other's.
        expect((found.objectives[0] as DriftReport).canaryTotal).to.be.within(19 * 150, 21 * 150);
        expect(drift(bad)).to.include({ decision: 'rollback', reason: 'evidence_against' });
      });
    }
  }
});

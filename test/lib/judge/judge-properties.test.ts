import { expect } from 'chai';
import fc from 'fast-check';
import { rule } from '../../../src/lib/judge/judge.js';
import { begin, observe } from '../../../src/lib/judge/judgement.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { judge, report } from '../../../src/lib/judge/report.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { cases } from '../../cases.js';
import { observations, policies } from './arbitrary.js';
import { START } from './looks.js';

/** Paths of what JSON cannot hold as it is. */
function unsound(value: unknown, path = 'verdict'): string[] {
  if (value === undefined) return [`${path} is undefined`];
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, v]) => unsound(v, `${path}.${key}`));
}

describe('judge, whatever the observations', () => {
  // Every look is judged, so that what is shown while a canary runs is covered too.
  const everyLook = (check: (verdict: Verdict, seen: Observation[]) => void) =>
    fc.property(policies, observations, (policy, all) => {
      const j = begin(policy, START);
      for (const [i, observation] of all.entries()) {
        observe(j, observation);
        check(report(j, rule(j, observation.t), observation.t), all.slice(0, i + 1));
      }
    });

  it('gives a verdict of finite numbers that JSON keeps', () => {
    fc.assert(
      everyLook((verdict) => {
        expect(unsound(verdict)).to.deep.equal([]);
        expect(JSON.parse(canonicalJson(verdict))).to.deep.equal(JSON.parse(JSON.stringify(verdict)));
      }),
      { numRuns: cases(250, 50) },
    );
  });

  it('never promotes while an objective has no data, is stale or is uncovered', () => {
    fc.assert(
      everyLook((verdict, seen) => {
        if (verdict.decision !== 'promote') return;
        for (const o of verdict.objectives) {
          if (o.reportOnly) continue;
          expect(o.hasData, o.name).to.equal(true);
          if (o.type === 'rate') expect(o.total, o.name).to.be.greaterThan(0);
          if (o.type === 'drift') expect(Math.min(o.canaryTotal, o.baselineTotal)).to.be.greaterThan(0);
          if (o.type === 'reading') {
            expect(o.met, o.name).to.equal(true);
            expect(o.missed).to.be.at.most((o.readings + o.missed) * (o.allowed?.missing ?? 0) + 1e-9);
          }
        }
        expect(seen.length).to.be.greaterThan(0);
      }),
      { numRuns: cases(400, 80) },
    );
  });

  it('keeps to the coverage and certainty that the policy asks for', () => {
    const promotions = new Set<string>();
    fc.assert(
      fc.property(policies, observations, (policy, all) => {
        const verdict = judge(policy, START, all);
        if (verdict.decision !== 'promote') return;
        promotions.add(verdict.reason);
        expect(verdict.coverage).to.be.at.least(policy.minCoverage);
        if (verdict.certainty !== 'certified') return;
        for (const o of verdict.objectives)
          expect(o.reportOnly || (o.type !== 'reading' && o.promote.certified), o.name).to.equal(true);
      }),
      // The rarest of the three is 1 in 122; this many miss it once in ten million runs.
      { numRuns: 2000 },
    );
    expect([...promotions].sort()).to.deep.equal(['certified_at_end', 'certified_early', 'met_without_certificate']);
  });

  it('never promotes a canary that was silent or restarted beyond what the policy bears', () => {
    fc.assert(
      everyLook(({ decision, silence }) => {
        if (decision !== 'promote') return;
        const { availability, restarts } = silence!;
        expect(availability?.exceeded).to.equal(false);
        expect(restarts.canary).to.be.at.most(restarts.allowed!);
      }),
      { numRuns: cases(400, 80) },
    );
  });

  it('judges the same from recorded bytes as from memory', () => {
    fc.assert(
      fc.property(policies, observations, (policy, all) => {
        const recorded = all.map((o) => JSON.parse(canonicalJson(o)) as Observation);
        const again = judge(JSON.parse(canonicalJson(policy)), START, recorded);
        expect(canonicalJson(again)).to.equal(canonicalJson(judge(policy, START, all)));
      }),
      { numRuns: 100 },
    );
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import { glance, glanceOf } from '../../../src/lib/judge/glance.js';
import { rule } from '../../../src/lib/judge/judge.js';
import { begin, observe } from '../../../src/lib/judge/judgement.js';
import { report } from '../../../src/lib/judge/report.js';
import { cases } from '../../cases.js';
import { observations, policies } from './arbitrary.js';
import { policy as policyOf, START } from './looks.js';

describe('a glance', () => {
  it('says what the whole verdict says, at every check', () => {
    fc.assert(
      fc.property(policies, observations, (policy, looks) => {
        const j = begin(policy, START);
        for (const observation of looks) {
          observe(j, observation);
          const ruling = rule(j, observation.t);
          expect(glance(j, ruling, observation.t)).to.deep.equal(glanceOf(report(j, ruling, observation.t)));
        }
      }),
      { numRuns: cases(1000) },
    );
  });

  it('names the limit in milliseconds before anything is counted', () => {
    const j = begin(policyOf({ targets: { latency_p95_ms: 250, max_error_rate: 0.02 } }), START);
    const { objectives } = glance(j, rule(j, START), START);
    expect(objectives.map(({ name, unit, limit, value }) => [name, unit, limit, value])).to.deep.equal([
      ['latency_p95_ms', 'ms', 250, null],
      ['error_rate', 'share', 0.02, null],
    ]);
  });
});

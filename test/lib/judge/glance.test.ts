import { expect } from 'chai';
import fc from 'fast-check';
import { glance, glanceOf } from '../../../src/lib/judge/glance.js';
import { rule } from '../../../src/lib/judge/judge.js';
import { begin, observe } from '../../../src/lib/judge/judgement.js';
import { report } from '../../../src/lib/judge/report.js';
import { cases } from '../../cases.js';
import { observations, policies } from './arbitrary.js';
import { START } from './looks.js';

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
});

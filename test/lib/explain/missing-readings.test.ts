import { expect } from 'chai';
import { missingReadings } from '../../../src/lib/explain/missing-readings.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { ReadingReport } from '../../../src/lib/judge/verdict.js';
import { looks, policy, START, scalar } from '../judge/looks.js';

describe('the checks without a reading', () => {
  const named = (missing: number[]) => {
    const observations = looks(12, (tick) => ({
      scalars: missing.includes(tick) ? { a: { state: 'invalid', detail: 'NaN' } } : { a: scalar(1) },
    }));
    const verdict = judge(policy({ objectives: ['a < 2'], minCoverage: 0 }), START, observations);
    return missingReadings(verdict.objectives[0] as ReadingReport, observations, verdict.tick);
  };

  it('are named, with the reason, where any are', () => {
    expect(named([])).to.equal('');
    expect(named([6])).to.equal(' No reading at check 6 (invalid: NaN).');
    expect(named([2, 6])).to.equal(' No reading at check 2 (invalid: NaN), check 6 (invalid: NaN).');
  });

  it('are counted where there are many', () => {
    expect(named([1, 2, 3, 4, 5, 6, 7])).to.match(/check 5 \(invalid: NaN\) and 2 more checks\.$/);
  });
});

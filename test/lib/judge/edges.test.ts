import { expect } from 'chai';
import { nextSteps, why } from '../../../src/lib/explain/index.js';
import { objectiveCell } from '../../../src/lib/explain/objective-cells.js';
import { objectiveSentence } from '../../../src/lib/explain/objective-sentences.js';
import { lintPolicy } from '../../../src/lib/judge/policy-lint.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { errors, histogram, type Look, looks, missing, policy, START, scalar } from './looks.js';

const decide = (rules: Record<string, unknown>, of: (tick: number) => Look, count = 12): Verdict =>
  judge(policy(rules), START, looks(count, of));
const short = ({ decision, certainty, reason }: Verdict) => `${decision} ${certainty} ${reason}`;
const values = (bounds: number[], counts: number[], name = 'ttft') => ({
  histograms: { [name]: histogram(bounds, counts) },
});
const PROMOTED = 'promote certified certified_at_end';
const UNDECIDED = 'block undecided inconclusive';
const rate = { targets: { max_error_rate: 0.02 } };

describe('quantiles at the edges of a histogram', () => {
  for (const [what, rule, counts, expected] of [
    ['the limit is a bound', 'ttft_p50_ms < 200', [300, 200, 0], PROMOTED],
    ['just as many are above it as may be', 'ttft_p50_ms < 200', [250, 250, 0], UNDECIDED],
    ['the limit is below the first bound', 'ttft_p95_ms < 100', [500, 0, 0], UNDECIDED],
    ['and more than may be are above that', 'ttft_p95_ms < 100', [400, 100, 0], 'rollback certified evidence_against'],
    ['the limit is above the last bound, and no value is', 'ttft_p95_ms < 1000', [400, 100, 0], PROMOTED],
    ['and some are', 'ttft_p95_ms < 1000', [400, 0, 100], 'block undecided no_bucket'],
    ['there are no values', 'ttft_p95_ms < 800', [0, 0, 0], UNDECIDED],
    ['one of a thousand may be above', 'ttft_p99_9_ms < 800', [5000, 0, 0], PROMOTED],
    ['and two of a thousand are', 'ttft_p999_ms < 800', [4990, 0, 10], 'rollback certified evidence_against'],
  ] as const)
    it(`when ${what}`, () => {
      expect(short(decide({ objectives: [rule] }, () => ({ canary: values([200, 800], [...counts]) })))).to.equal(
        expected,
      );
    });

  it('whose first bound is not above zero say so', () => {
    const [o] = decide({ objectives: ['retries_p95 <= 0'] }, () => ({
      canary: values([0, 1], [500, 0, 0], 'retries'),
    })).objectives;
    expect(objectiveCell(o!)).to.equal('✓ retries_p95  0 (limit 0)');
    expect(objectiveSentence(o!, true)).to.match(/p95 is 0 or less; 0 of 6,000 retries values were above 0/);
    const below = decide({ objectives: ['gain_p95 <= -1'] }, () => ({
      canary: values([-5, -1, 0], [100, 390, 10, 0], 'gain'),
    }));
    expect(short(below)).to.equal(PROMOTED);
  });

  it('of the requests have milliseconds in their name', () => {
    const v = decide({ objectives: ['latency_p95 < 200'] }, () => ({
      canary: { latency: histogram([200], [500, 0]) },
    }));
    expect(JSON.stringify(v.noData)).to.match(
      /no histogram named latency, nor a reading named latency_p95; write latency_p95_ms/,
    );
  });
});

describe('objectives that are only reported', () => {
  const good = errors(0, 500);
  for (const [what, rules, look] of [
    ['a quantile that is missed', { objectives: ['ttft_p95_ms < 200'] }, { canary: values([200], [0, 500]) }],
    [
      'a quantile without data',
      { objectives: ['ttft_p95_ms < 200'] },
      { canary: { histograms: { ttft: missing('absent') } } },
    ],
    ['a reading that fails', { objectives: ['accuracy > 0.9'] }, { scalars: { accuracy: scalar(0.1) } }],
    ['a reading that is missing', { objectives: ['accuracy > 0.9'] }, {}],
    [
      'drift without a baseline',
      { targets: { ...rate.targets, max_drift: 0.1 } },
      { canary: { score: histogram([1], [9, 9]) } },
    ],
    ['a ratio without a baseline', { relative: { max_error_ratio: 2 } }, {}],
  ] as [string, { objectives?: string[]; targets?: object; relative?: object }, Look][])
    it(`decide nothing: ${what}`, () => {
      const name = rules.objectives?.[0]?.split(' ')[0] ?? (rules.relative ? 'max_error_ratio' : 'max_drift');
      const v = decide({ ...rate, ...rules, reportOnly: [name] }, () => ({
        ...look,
        canary: { ...good, ...look.canary },
      }));
      expect(short(v)).to.equal(PROMOTED);
      expect(v.objectives.map(objectiveCell).filter((cell) => cell.endsWith(', report only'))).to.have.length(1);
      expect(v.objectives.map((o) => objectiveSentence(o, true)).join(' ')).to.match(
        /It is only reported, and decides nothing\./,
      );
      expect(v.noData).to.equal(null);
    });

  it('are not said by lint to block or to need anything', () => {
    const rules = policy({
      targets: { ...rate.targets, max_drift: 0.1 },
      relative: { max_error_ratio: 2 },
      objectives: ['accuracy > 0.9'],
      reportOnly: ['max_drift', 'max_error_ratio', 'accuracy'],
    });
    const said = [rules, { ...rules, baseline: 'none' as const }].flatMap((one) =>
      lintPolicy(one, { requestsPerSecond: 1000 }),
    );
    expect(said.filter(({ severity }) => severity === 'error')).to.deep.equal([]);
    expect(said.filter(({ message }) => /is blocked|recorded as uncertified/.test(message))).to.deep.equal([]);
  });
});

describe('limits of none, and of all,', () => {
  const reading = (rules: object, failing: (tick: number) => boolean | null, more: Partial<Look> = {}) =>
    decide({ objectives: ['accuracy > 0.9'], ...rules }, (tick) => {
      const fails = failing(tick);
      return { ...more, ...(fails === null ? {} : { scalars: { accuracy: scalar(fails ? 0.5 : 0.95) } }) };
    });
  const MET = 'promote uncertified met_without_certificate';

  it('of readings that may be missing', () => {
    expect(short(reading({ maxMissing: 0 }, () => false))).to.equal(MET);
    expect(why(reading({ maxMissing: 0 }, (tick) => (tick === 5 ? null : false)))).to.match(/none may be/);
    const half = (tick: number) => (tick % 2 === 1 ? null : false);
    expect(short(reading({ maxMissing: 1 }, half))).to.equal('block undecided coverage');
    expect(short(reading({ maxMissing: 1, minCoverage: 0.3 }, half))).to.equal(MET);
    const said = lintPolicy(policy({ objectives: ['accuracy > 0.9'], maxMissing: 1 }));
    expect(said.map(({ message }) => message).join()).to.match(/readings must cover 80% of the window all the same/);
  });

  it('of readings that may fail', () => {
    expect(short(reading({ maxFailures: 0 }, () => false))).to.equal(MET);
    expect(why(reading({ maxFailures: 0 }, (tick) => tick === 5))).to.match(
      /1 of 12 readings failed \(8\.33%\); none may$/,
    );
    expect(short(reading({ maxFailures: 1 }, (tick) => tick % 3 > 0))).to.equal(MET);
  });

  it('of restarts', () => {
    const restarts = (times: number) =>
      decide({ ...rate, maxRestarts: 0 }, (tick) => ({
        canary: { ...errors(0, 500), ...(tick % 3 === 1 && tick / 3 < times ? { restarts: 1, resets: 1 } : {}) },
      }));
    expect(short(restarts(0))).to.equal(PROMOTED);
    expect(short(restarts(1))).to.equal('block undecided restarts');
    // A fall that is known not to be a restart is none.
    const dip = { ...errors(0, 500), restarts: 0, resets: 1 };
    expect(
      short(decide({ ...rate, maxRestarts: 0 }, (tick) => ({ canary: tick === 5 ? dip : errors(0, 500) }))),
    ).to.equal(PROMOTED);
  });

  it('of a baseline that is required where only readings decide', () => {
    expect(short(reading({ baseline: 'required' }, () => false))).to.equal('block undecided no_baseline');
    expect(short(reading({ baseline: 'required' }, () => false, { baseline: errors(0, 500) }))).to.equal(MET);
  });
});

describe('a warm-up that is longer than the window', () => {
  const half = (bad: (tick: number) => boolean, count = 36) =>
    decide({ ...rate, warmupSeconds: 120 }, (tick) => ({ canary: errors(bad(tick) ? 250 : 0, 500) }), count);

  it('is not judged, and the window after it is', () => {
    expect(half((tick) => tick <= 24)).to.include({ decision: 'promote', tick: 36 });
    expect(half((tick) => tick > 24)).to.include({ decision: 'rollback', tick: 25 });
    expect(half(() => true, 24)).to.include({ decision: 'continue' });
  });

  it('may be silent for longer than noDataSeconds', () => {
    const silent = decide(
      { ...rate, warmupSeconds: 200, noDataSeconds: 30 },
      (tick) => ({ canary: tick <= 40 ? { errors: missing('unreachable') } : errors(0, 500) }),
      52,
    );
    expect(short(silent)).to.equal(PROMOTED);
  });
});

it('advice of a limit below the first bound names both ways out', () => {
  const v = decide({ objectives: ['ttft_p95_ms < 100'] }, () => ({ canary: values([200, 800], [500, 0, 0]) }));
  expect(nextSteps(v)).to.deep.equal(['Add a bucket at 100 ms to the histogram, or set ttft_p95_ms to 200.']);
});

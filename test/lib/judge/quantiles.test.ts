import { expect } from 'chai';
import { nextSteps, why } from '../../../src/lib/explain/index.js';
import { objectiveCell } from '../../../src/lib/explain/objective-cells.js';
import { lintPolicy } from '../../../src/lib/judge/policy-lint.js';
import { quantileQuestion } from '../../../src/lib/judge/quantile-name.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { RateReport, Verdict } from '../../../src/lib/judge/verdict.js';
import { withoutLaterKeys } from '../../../src/lib/judge/version.js';
import { errors, histogram, type Look, looks, missing, policy, START, scalar } from './looks.js';

const short = ({ decision, certainty, reason, decidedBy }: Verdict) =>
  `${decision} ${certainty} ${reason} ${decidedBy}`;
const ttft = (bounds: number[], counts: number[], more: Partial<Look> = {}): Look => ({
  canary: { histograms: { ttft: histogram(bounds, counts) } },
  ...more,
});
const asked = (...objectives: string[]) => policy({ objectives });

describe('the quantile that a name asks for', () => {
  const of = (name: string, op: '<' | '<=' | '>' = '<') => quantileQuestion({ name, op, value: 1 });

  it('is read from its end', () => {
    expect(of('ttft_p95_ms')).to.deep.equal({ histogram: 'ttft', quantile: 0.95, unit: 'ms' });
    expect(of('e2e_p50_ms', '<=')).to.deep.equal({ histogram: 'e2e', quantile: 0.5, unit: 'ms' });
    expect(of('tokens_p95', '<=')).to.deep.equal({ histogram: 'tokens', quantile: 0.95, unit: '1' });
    expect(of('tokens_p95')).to.deep.equal({ histogram: 'tokens', quantile: 0.95, unit: '1', strict: true });
    expect(of('queue_time_p5_ms')?.quantile).to.equal(0.05);
    for (const name of ['x_p99_9_ms', 'x_p99.9_ms', 'x_p999_ms']) expect(of(name)?.quantile, name).to.equal(0.999);
    expect(of('x_p99_99_ms')?.quantile).to.equal(0.9999);
  });

  it('is none for other names, nor for limits from below', () => {
    for (const name of ['accuracy', 'p95_ms', '_p95', 'x_p0_ms', 'x_p100_ms', 'x_p_ms', 'x_p95_s', 'x_p999_9_ms'])
      expect(of(name), name).to.equal(null);
    expect(of('ttft_p95_ms', '>')).to.equal(null);
  });
});

describe('a quantile of a further histogram', () => {
  it('is certified by counts', () => {
    const v = judge(
      asked('ttft_p95_ms < 800'),
      START,
      looks(12, () => ttft([200, 800, 3000], [400, 90, 10, 0])),
    );
    expect(short(v)).to.equal('promote certified certified_at_end null');
    const [o] = v.objectives as [RateReport];
    expect(o).to.deep.include({ type: 'rate', name: 'ttft_p95_ms', bad: 120, total: 6000, p0: 0.05, target: 800 });
    expect(o.histogram).to.deep.equal({ name: 'ttft', unit: 'ms' });
    expect(objectiveCell(o)).to.match(/^✓ ttft_p95_ms {2}\d+ ms \(limit 800 ms\)$/);
  });

  it('rolls back, certified, in its own words', () => {
    const v = judge(
      asked('ttft_p95_ms < 800', 'tokens_p50 <= 100'),
      START,
      looks(12, () => ({
        canary: {
          histograms: { ttft: histogram([200, 800], [400, 0, 100]), tokens: histogram([100, 500], [50, 50, 0]) },
        },
      })),
    );
    expect(short(v)).to.equal('rollback certified evidence_against ttft_p95_ms');
    expect(why(v)).to.equal('ttft_p95_ms too high: 100 of 500 ttft values were above 800 ms (20%, limit 5%)');
    expect(objectiveCell(v.objectives[1]!)).to.match(/^\? tokens_p50 {2}\d+ \(limit 100\)$/);
  });

  it('holds with the baseline, as every other objective', () => {
    const bad = { histograms: { ttft: histogram([200, 800], [400, 0, 100]) } };
    const v = judge(
      asked('ttft_p95_ms < 800'),
      START,
      looks(12, () => ({ canary: bad, baseline: bad })),
    );
    expect(v.reason).to.equal('not_attributable');
  });

  it('never interpolates: a limit between two bounds is certified only by what is below the lower one', () => {
    const v = judge(
      asked('ttft_p95_ms < 500'),
      START,
      looks(12, () => ttft([200, 800], [400, 100, 0])),
    );
    expect(short(v)).to.equal('block undecided inconclusive ttft_p95_ms');
    expect(nextSteps(v)).to.deep.equal(['Add a bucket at 500 ms to the histogram, or set ttft_p95_ms to 200 or 800.']);
  });

  it('has an unreachable histogram for missing data, never for a reading', () => {
    const gone = looks(60, () => ({ canary: { histograms: { ttft: missing('unreachable') } } }));
    const v = judge(policy({ windowSeconds: 300, objectives: ['ttft_p95_ms < 800'] }), START, gone);
    expect([v.decision, v.noData?.states]).to.deep.equal(['block', { ttft_p95_ms: 'unreachable' }]);
  });

  it('is a reading where no such histogram is measured, and in a policy recorded before', () => {
    const read = looks(12, () => ({ canary: {}, scalars: { ttft_p95_ms: scalar(300) } }));
    expect(short(judge(asked('ttft_p95_ms < 800'), START, read))).to.equal(
      'promote uncertified met_without_certificate null',
    );
    const both = looks(12, () => ttft([200, 800], [0, 0, 500], { scalars: { ttft_p95_ms: scalar(300) } }));
    expect(judge(asked('ttft_p95_ms < 800'), START, both).decision).to.equal('rollback');
    const before = withoutLaterKeys(asked('ttft_p95_ms < 800'), new Set());
    expect(judge(before, START, both)).to.include({ judge: 1, decision: 'promote', certainty: 'uncertified' });
  });

  it('without a unit is a reading where the source gives one: its bounds may be in another unit', () => {
    const seconds = looks(12, () => ttft([200, 800], [0, 500, 0], { scalars: { ttft_p95: scalar(0.5) } }));
    expect(short(judge(asked('ttft_p95 < 0.8'), START, seconds))).to.equal(
      'promote uncertified met_without_certificate null',
    );
  });

  it('does not take evidence from the others where it is only a reading', () => {
    const alone = policy({ targets: { max_error_rate: 0.02 } });
    const more = policy({ targets: { max_error_rate: 0.02 }, objectives: ['a_p95_ms < 1', 'b_p95_ms < 1'] });
    const found = looks(2, () => ({ canary: errors(12, 300), scalars: { a_p95_ms: scalar(0), b_p95_ms: scalar(0) } }));
    expect(judge(more, START, found).evidence.logE).to.equal(judge(alone, START, found).evidence.logE);
  });

  describe('with < for a plain number, which may be the limit itself,', () => {
    const retries = (rule: string, bounds: number[], counts: number[]) =>
      judge(
        asked(rule),
        START,
        looks(12, () => ({ canary: { histograms: { retries: histogram(bounds, counts) } } })),
      );

    it('does not take those at the limit for less', () => {
      const once = retries('retries_p95 < 1', [0, 1, 2], [100, 400, 0, 0]);
      expect(short(once)).to.equal('block undecided inconclusive retries_p95');
      expect(why(once)).to.match(
        /^retries_p95: the bucket that ends at 1 also holds values of exactly 1, which retries_p95 < 1 does not allow/,
      );
      expect(nextSteps(once)).to.deep.equal([
        'Write retries_p95 <= 1 if they are allowed, or <= 0; or add a bucket just below 1.',
      ]);
      expect(short(retries('retries_p95 <= 1', [0, 1, 2], [100, 400, 0, 0]))).to.match(/^promote certified/);
    });

    it('certifies by a bucket below it, and rolls back for what is above the bucket at it', () => {
      expect(short(retries('retries_p95 < 1', [0, 1, 2], [500, 0, 0, 0]))).to.match(/^promote certified/);
      const twice = retries('retries_p95 < 1', [0, 1, 2], [100, 0, 400, 0]);
      expect(short(twice)).to.match(/^rollback certified/);
      expect(why(twice)).to.match(/retries values were 1 or above/);
    });

    it('is said to be by lint', () => {
      const said = lintPolicy(asked('retries_p95 < 1', 'ttft_p95_ms < 800'), { requestsPerSecond: 100 });
      expect(said.filter(({ message }) => /itself is too much/.test(message))).to.have.length(1);
    });
  });

  it('counts the 99.9th as such', () => {
    const v = judge(
      asked('ttft_p99_9_ms < 800'),
      START,
      looks(12, () => ttft([200, 800], [5000, 0, 0])),
    );
    expect(short(v)).to.equal('promote certified certified_at_end null');
    expect((v.objectives[0] as RateReport).p0).to.equal(0.001);
  });

  it('is said to be by lint, and what is not', () => {
    const found = lintPolicy(asked('ttft_p95_ms < 800', 'accuracy > 0.9', 'ttft_p50_ms > 3'), {
      requestsPerSecond: 100,
    });
    const said = found.filter(({ path }) => path === 'objectives').map(({ message }) => message);
    expect(said).to.have.length(3);
    expect(said[0]).to.match(/^ttft_p95_ms of ttft: counted, and certified/);
    expect(said[1]).to.match(/^accuracy, ttft_p50_ms: judged reading by reading/);
  });
});

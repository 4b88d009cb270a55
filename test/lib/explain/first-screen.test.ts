import { expect } from 'chai';
import { nextSteps, why } from '../../../src/lib/explain/cause.js';
import { progressLine } from '../../../src/lib/explain/progress.js';
import { summarise } from '../../../src/lib/explain/summary.js';
import { judge } from '../../../src/lib/judge/report.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { errors, histogram, type Look, looks, missing, policy, START, scalar, without } from '../judge/looks.js';

const SUBJECT = { modelId: 'fraud-v2', fromGate: 'stage', toGate: 'production', state: 'ROLLED_BACK' };
const GOOD: Look = { canary: errors(0, 500), baseline: errors(2, 2000) };

/** The verdict on a minute of checks, all the same unless said otherwise. */
function verdict(rules: Record<string, unknown>, of: (tick: number) => Look, checks = 12): Verdict {
  return judge(policy(rules), START, looks(checks, of));
}

const errorRate = { targets: { max_error_rate: 0.02 } };
const p95 = { targets: { latency_p95_ms: 250 } };
const latency = (bounds: number[], counts: number[]): Look => ({ canary: { latency: histogram(bounds, counts) } });

describe('the first screen of a verdict', () => {
  const failing = verdict({ targets: { max_error_rate: 0.02, latency_p95_ms: 250 } }, (tick) => ({
    canary: { ...errors(tick < 3 ? 0 : 12, 100), latency: histogram([100, 250], [95, 5, 0]) },
    baseline: errors(1, 1000),
  }));

  it('leads with the outcome, then cause, evidence and promise, and objectives, each on its line', () => {
    expect(failing.reason).to.equal('evidence_against');
    const lines = summarise(SUBJECT, failing, null);
    expect(lines[0]).to.match(/^ROLLED BACK {2}fraud-v2 {2}stage → production {2,}after 20 s \(40 s saved\)$/);
    expect(lines[0]).to.have.length(84);
    expect(lines[1]).to.equal('  error_rate too high: 24 of 400 requests failed (6%, limit 2%), since check 3');
    expect(lines[2]).to.match(
      /^ {2}evidence [\d,]+:1 against it \(rolls back at 100:1\) {3}certified: at most 1 in 100 healthy canaries is rolled back$/,
    );
    expect(lines[3]).to.match(/^ {2}. latency_p95_ms {2}100 ms \(limit 250 ms\) {4}✗ error_rate {2}6% \(limit 2%\)$/);
    expect(lines).to.have.length(4);
  });

  for (const width of [40, 60, 80, 120])
    it(`is never wider than a terminal of ${width} columns, and says the same`, () => {
      const lines = summarise(SUBJECT, failing, width);
      for (const line of lines) expect(line.length, line).to.be.at.most(width);
      const words = (text: string[]) => text.join(' ').split(/\s+/).filter(Boolean);
      expect(words(lines)).to.deep.equal(words(summarise(SUBJECT, failing, null)));
    });

  it('gives the numbers since a late regression where the whole window still meets the target', () => {
    const late = verdict(errorRate, (tick) => ({ canary: errors(tick < 9 ? 0 : 40, 1000) }));
    expect(why(late)).to.match(
      /^error_rate too high since check 9: 80 of 2,000 requests since then failed \(4%, limit 2%\)$/,
    );
    expect(summarise(SUBJECT, late, null).at(-1)).to.equal('  ✗ error_rate  4% since check 9 (limit 2%)');
  });

  it('does not round a value onto its limit', () => {
    const near = verdict(errorRate, () => ({ canary: errors(204, 10_000), baseline: errors(0, 10) }));
    expect(summarise(SUBJECT, near, null).at(-1)).to.equal('  ? error_rate  2.04% (limit 2%)');
  });

  it('says that it waits for the first counts, not that there is no data', () => {
    const first = judge(
      policy(errorRate),
      START,
      looks(0, () => ({})),
    );
    expect(progressLine(first, 60)).to.equal('0 s of 60 s: waiting for the first counts');
    expect(
      progressLine(
        verdict(errorRate, () => GOOD, 2),
        60,
      ),
    ).to.match(/^10 s of 60 s: evidence against it 1:[\d.]+ {3}error_rate 0% \(limit 2%\)$/);
  });
});

describe('a blocked canary', () => {
  const objectives = { objectives: ['ttft_p95_ms < 800'], minCoverage: 0.5 };
  const reading = (value: number | null): Look =>
    value === null ? { scalars: { ttft_p95_ms: missing('invalid') } } : { scalars: { ttft_p95_ms: scalar(value) } };
  const ratio = { baseline: 'required', relative: { max_error_ratio: 1.5 } };

  const CASES: [string, Verdict, RegExp, RegExp][] = [
    [
      'that had too little traffic: how much more',
      verdict(errorRate, () => ({ canary: errors(0, 6) })),
      /^not enough traffic: error_rate needs 228 requests, this window saw 72$/,
      /^Send about 156 more requests, or make the window 3 min 10 s long/,
    ],
    [
      'that had no traffic at all',
      verdict({ ...errorRate, minCoverage: 0 }, () => ({ canary: errors(0, 0) })),
      /^error_rate: the canary served no requests$/,
      /^Send requests to the canary/,
    ],
    [
      'with one reading missing: which, and that none may be',
      verdict({ ...objectives, maxMissing: 0 }, (tick) => reading(tick === 6 ? null : 700)),
      /^ttft_p95_ms < 800: 1 of 12 readings is missing; none may be$/,
      /^Make ttft_p95_ms give a number at every check/,
    ],
    [
      'whose newest reading fails',
      verdict(objectives, (tick) => reading(tick === 12 ? 900 : 700)),
      /^ttft_p95_ms < 800: the newest reading fails \(900\)$/,
      /^Find out why ttft_p95_ms misses its limit/,
    ],
    [
      'without a bucket at or above the limit: which bounds there are',
      verdict(p95, () => latency([50, 100], [0, 0, 500])),
      /^latency_p95_ms: no bucket ends at or above the limit 250 ms \(the highest ends at 100 ms\)/,
      /^Add a bucket at 250 ms to the histogram, or set latency_p95_ms to 100 or less\.$/,
    ],
    [
      'with its limit between two buckets',
      verdict(p95, () => latency([100, 400], [300, 200, 0])),
      /^latency_p95_ms: the limit 250 ms lies between the bucket bounds 100 and 400 ms/,
      /^Add a bucket at 250 ms to the histogram, or set latency_p95_ms to 100 or 400\.$/,
    ],
    [
      'with a ratio of no failures to no failures',
      verdict(ratio, () => ({ canary: errors(0, 1000), baseline: errors(0, 9000) })),
      /^error_ratio: no failed requests on either side \(0 of 12,000 and 0 of 108,000\)/,
      /targets\.max_error_rate instead of relative\.max_error_ratio\. More traffic without failed requests does not help\.$/,
    ],
    [
      'with a ratio that few failures do not prove',
      verdict(ratio, (tick) => ({
        canary: errors(tick === 1 ? 1 : 0, 1000),
        baseline: errors(tick === 1 ? 9 : 0, 9000),
      })),
      /^not enough failed requests to prove error_ratio: 1x the baseline's rate, limit 1\.5x/,
      /^Send more traffic or make the window longer\./,
    ],
    [
      'that is above its limit without proof',
      verdict(errorRate, (tick) => ({ canary: errors(tick % 4 === 0 ? 1 : 0, 10) })),
      /^error_rate is above its limit, but it is not proven: 3 of 120 requests failed \(2\.5%, limit 2%\)$/,
      /^Find out why requests fail/,
    ],
    [
      'that was not covered: how many checks had no data',
      verdict({ ...errorRate, noDataSeconds: 40 }, (tick) =>
        tick > 3 && tick < 8 ? { canary: without('absent') } : GOOD,
      ),
      /^readings cover only 66\.7% of the window: 4 of 12 checks had no data$/,
      /^Find out why the metrics were missing/,
    ],
    [
      'whose counters are reset again and again',
      verdict(errorRate, (tick) => ({ canary: { ...errors(0, 500), resets: tick % 3 === 0 ? 1 : 0 } })),
      /^unstable counters: they were reset 4 times in 12 checks/,
      /^If the canary keeps restarting/,
    ],
    [
      'without the baseline that the policy requires',
      verdict({ ...errorRate, baseline: 'required' }, () => ({ canary: errors(0, 500) })),
      /^the policy requires a baseline, and none was measured$/,
      /^Name the baseline/,
    ],
    [
      'that fell silent',
      verdict({ ...errorRate, noDataSeconds: 20 }, (tick) =>
        tick > 4 ? { canary: { errors: { state: 'absent', detail: 'model_requests_total' } } } : GOOD,
      ),
      /^no data for the last 20 s \(error_rate absent: model_requests_total\)$/,
      /^The metrics were there before: check whether the canary crashed/,
    ],
    [
      'with one metric silent at the end of the window',
      verdict({ targets: { ...errorRate.targets, ...p95.targets }, noDataSeconds: 10 }, (tick) => ({
        canary: {
          ...errors(0, 500),
          latency: tick > 9 ? { state: 'stale', detail: 'model_latency' } : histogram([100, 250], [500, 0, 0]),
        },
      })),
      /^no data for the last 15 s \(latency_p95_ms stale: model_latency\)$/,
      /^The metrics stopped changing/,
    ],
    [
      'that never had any metrics',
      verdict({ ...errorRate, noDataSeconds: 20 }, () => ({ canary: without('absent') })),
      /^no metrics for 20 s \(error_rate absent\)$/,
      /^Check the metric names and labels/,
    ],
    [
      'whose source refuses access',
      verdict({ ...errorRate, noDataSeconds: 20 }, () => ({ canary: without('refused') })),
      /^the metrics source refused access for 20 s/,
      /^Check the credentials of the source/,
    ],
    [
      'in an incident of both versions',
      verdict(errorRate, () => ({ canary: errors(45, 500), baseline: errors(180, 2000) })),
      /^error_rate is too high on the baseline as well/,
      /^Wait until the incident/,
    ],
  ];

  for (const [what, v, cause, remedy] of CASES)
    it(`${what}, and what to do about it`, () => {
      expect(v.decision).to.equal('block');
      expect(why(v)).to.match(cause);
      expect(nextSteps(v)[0]).to.match(remedy);
    });

  it('that lacks traffic for two objectives is told what suffices for both', () => {
    const blocked = verdict({ targets: { max_error_rate: 0.02, latency_p95_ms: 250 } }, () => ({
      canary: { ...errors(0, 6), latency: histogram([250], [6, 0]) },
    }));
    expect(why(blocked)).to.equal('not enough traffic: error_rate needs 228 requests, this window saw 72');
    expect(nextSteps(blocked)[0]).to.match(/^Send about 156 more requests/);
  });

  it('gets a remedy of its own for each cause', () => {
    const remedies = CASES.map(([, v]) => nextSteps(v).join(' '));
    expect(new Set(remedies).size).to.equal(remedies.length);
  });
});

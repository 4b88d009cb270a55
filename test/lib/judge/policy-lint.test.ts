import { expect } from 'chai';
import { lintPolicy } from '../../../src/lib/judge/policy-lint.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';

const lint = (more: object = {}, options: { requestsPerSecond?: number } = {}) =>
  lintPolicy(parsePolicy({ windowSeconds: 600, targets: { max_error_rate: 0.02 }, ...more }), options);

/** Findings about one key, as `severity: message`. */
const about = (path: string, more: object, options: { requestsPerSecond?: number } = {}) =>
  lint(more, options)
    .filter((finding) => finding.path === path)
    .map(({ severity, message }) => `${severity}: ${message}`);

describe('lintPolicy', () => {
  it('has nothing to say of a sound policy with traffic enough', () => {
    expect(lint({}, { requestsPerSecond: 100 })).to.deep.equal([]);
  });

  it('says at which usual traffics the window is too short, and what would do', () => {
    expect(about('targets.max_error_rate', { windowSeconds: 120 })).to.deep.equal([
      'note: not enough traffic at 1 or 10 requests/s in 2 min: a canary at half of the allowed 2% needs about 2,100 requests, ' +
        'that is at least 17 requests/s or, at 10, a window of 3.34 min',
    ]);
    const [never] = about('targets.max_error_rate', { windowSeconds: 60, targets: { max_error_rate: 0.0001 } });
    expect(never).to.match(/^warning: not enough traffic at 1 or 10 or 100 requests\/s in 60 s/);
  });

  it('judges by the traffic it is told, alone', () => {
    const findings = (requestsPerSecond: number) =>
      about('targets.max_error_rate', { windowSeconds: 120 }, { requestsPerSecond });
    expect(findings(12.5)[0]).to.match(/^warning: not enough traffic at 12\.5 requests\/s in 2 min/);
    expect(findings(20)).to.deep.equal([]);
  });

  it('tells errors before warnings before notes', () => {
    const severities = lint({
      baseline: 'none',
      relative: { max_error_ratio: 1 },
      alpha: { rollback: 0.2 },
      promote: 'early',
    }).map(({ severity }) => severity);
    expect(new Set(severities)).to.deep.equal(new Set(['error', 'warning', 'note']));
    const order = ['error', 'warning', 'note'];
    expect(severities).to.deep.equal([...severities].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
  });

  const found: [string, string, object, RegExp][] = [
    [
      'a comparison without a baseline',
      'relative.max_error_ratio',
      { baseline: 'none', relative: { max_error_ratio: 2 } },
      /^error: needs a baseline, but baseline is none/,
    ],
    [
      'drift without a baseline',
      'targets.max_drift',
      { baseline: 'none', targets: { max_drift: 0.1 } },
      /^warning: .*baseline is none/,
    ],
    [
      'drift that needs a baseline',
      'targets.max_drift',
      { targets: { max_drift: 0.1 } },
      /^note: .*without one it has no data/,
    ],
    ['a loose drift', 'targets.max_drift', { baseline: 'required', targets: { max_drift: 1 } }, /^warning: 1 is loose/],
    [
      'a ratio of 1',
      'relative.max_error_ratio',
      { relative: { max_error_ratio: 1 } },
      /^warning: .*better than its baseline/,
    ],
    [
      'a ratio that nothing else limits',
      'relative.max_error_ratio',
      { targets: { latency_p95_ms: 250 }, relative: { max_error_ratio: 2 } },
      /^note: a ratio cannot be certified while neither version has failures/,
    ],
    [
      'seconds for milliseconds',
      'targets.latency_p95_ms',
      { targets: { latency_p95_ms: 0.25 } },
      /for 0\.25 s write 250/,
    ],
    [
      'quantiles out of order',
      'targets.latency_p50_ms',
      { targets: { latency_p50_ms: 300, latency_p99_ms: 250 } },
      /300 is above latency_p99_ms \(250\)/,
    ],
    [
      'a very loose error rate',
      'targets.max_error_rate',
      { targets: { max_error_rate: 0.5 } },
      /allows 50% of requests to fail/,
    ],
    [
      'silence longer than the window',
      'noDataSeconds',
      { windowSeconds: 60 },
      /^warning: 90 is not below windowSeconds \(60\)/,
    ],
    [
      'silence shorter than two checks',
      'noDataSeconds',
      { intervalSeconds: 60 },
      /90 is below two intervals \(120 s\)/,
    ],
    ['few checks', 'intervalSeconds', { intervalSeconds: 200 }, /only 3 checks fit/],
    [
      'an interval that does not divide',
      'intervalSeconds',
      { intervalSeconds: 7 },
      /^note: 7 does not divide windowSeconds \(600\)/,
    ],
    ['very frequent checks', 'intervalSeconds', { intervalSeconds: 0.5 }, /^note: 0\.5 s is shorter/],
    [
      'a loose rollback error',
      'alpha.rollback',
      { alpha: { rollback: 0.1 } },
      /allows up to 10% of healthy canaries to be rolled back/,
    ],
    [
      'a loose promotion error',
      'alpha.promote',
      { alpha: { promote: 0.2 } },
      /allows up to 20% of canaries that miss a target/,
    ],
    [
      'promotion without evidence',
      'onInconclusive',
      { onInconclusive: 'promote' },
      /^warning: promote also promotes canaries that are not proven safe/,
    ],
    [
      'nothing to extend',
      'maxWindowSeconds',
      { onInconclusive: 'extend', maxWindowSeconds: 600 },
      /cannot extend anything/,
    ],
    [
      'rollback on silence',
      'onNoData',
      { onNoData: 'rollback' },
      /^note: rollback also acts when only the metrics are down/,
    ],
    ['early promotion', 'promote', { promote: 'early' }, /^note: early stops checking/],
    ['low coverage', 'minCoverage', { minCoverage: 0.2 }, /^warning: 0\.2 allows the promotion/],
    ['custom objectives', 'objectives', { objectives: ['a < 1'] }, /^note: .*recorded as uncertified/],
    [
      'a single failing reading',
      'maxConsecutiveFailures',
      { targets: {}, objectives: ['a < 1'], maxConsecutiveFailures: 1 },
      /^warning: 1 rolls back at the first/,
    ],
    [
      'a person who approves what they ask for',
      'approvals.not',
      { approvals: { required: 1, not: 'nobody' } },
      /^warning: nobody with required: 1 lets the requester/,
    ],
    [
      'no time to approve',
      'approvals.expiresAfter',
      { approvals: { required: 1, expiresAfter: '90s' } },
      /^warning: 90s leaves people too little time/,
    ],
  ];
  for (const [what, path, more, message] of found) {
    it(`finds ${what}`, () => {
      expect(about(path, more)).to.satisfy((findings: string[]) => findings.some((finding) => message.test(finding)));
      expect(about(path, {}, { requestsPerSecond: 100 })).to.deep.equal([]);
    });
  }
});

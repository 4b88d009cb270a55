import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../src/lib/errors.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { parsePolicy, parsePolicyText, policyJsonSchema } from '../../../src/lib/judge/policy-schema.js';

/** The message of the refusal; fails when there is none. */
function refusal(input: unknown): string {
  try {
    parsePolicy(input, 'slo.yaml');
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    expect((error as LukhasError).code).to.equal('POLICY');
    return (error as LukhasError).message;
  }
  throw new Error('the policy was accepted');
}

const minimal = (more: object = {}) => ({ windowSeconds: 120, targets: { max_error_rate: 0.02 }, ...more });

describe('parsePolicy', () => {
  it('fills in every default of a minimal policy', () => {
    const targets = { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 };
    const expected: Policy = {
      version: 1,
      windowSeconds: 120,
      intervalSeconds: 5,
      targets: { ...targets, max_unavailable: 0.05 },
      alpha: { rollback: 0.01, promote: 0.01 },
      promote: 'end',
      onInconclusive: 'block',
      maxWindowSeconds: 120,
      onNeverAnswered: 'rollback',
      onNoData: 'block',
      noDataSeconds: 90,
      minCoverage: 0.8,
      baseline: 'auto',
      relative: {},
      designEffect: { batchSize: 1, estimate: true },
      warmupSeconds: 0,
      maxRestarts: 2,
      maxConsecutiveFailures: 3,
      maxFailures: 0.1,
      maxMissing: 0.1,
      reportOnly: [],
      objectives: [],
    };
    expect(parsePolicy({ windowSeconds: 120, targets })).to.deep.equal(expected);
  });

  it('fills in the rest of a group of which one key is given', () => {
    expect(parsePolicy(minimal({ alpha: { rollback: 0.001 } })).alpha).to.deep.equal({
      rollback: 0.001,
      promote: 0.01,
    });
    expect(parsePolicy(minimal({ designEffect: { batchSize: 8 } })).designEffect).to.deep.equal({
      batchSize: 8,
      estimate: true,
    });
  });

  it('takes any one target, or custom objectives alone', () => {
    for (const targets of [{ latency_p50_ms: 80 }, { latency_p99_ms: 800 }, { max_drift: 0.2 }]) {
      expect(parsePolicy({ windowSeconds: 60, targets }).targets).to.deep.equal({ ...targets, max_unavailable: 0.05 });
    }
    const alone = parsePolicy({ windowSeconds: 60, objectives: ['ttft_p95_ms < 8e2', 'accuracy>=.92'] });
    expect(alone.targets).to.deep.equal({ max_unavailable: 0.05 });
    expect(alone.objectives).to.deep.equal([
      { name: 'ttft_p95_ms', op: '<', value: 800 },
      { name: 'accuracy', op: '>=', value: 0.92 },
    ]);
  });

  it('looks more often in short windows, but not more than once a second', () => {
    const interval = (windowSeconds: number) => parsePolicy(minimal({ windowSeconds })).intervalSeconds;
    expect([300, 20, 12, 10, 4, 2].map(interval)).to.deep.equal([5, 5, 3, 2, 1, 1]);
  });

  it('extends to three windows unless told otherwise, and never beyond 30 days', () => {
    const extend = (more: object) => parsePolicy(minimal({ onInconclusive: 'extend', ...more })).maxWindowSeconds;
    expect(extend({})).to.equal(360);
    expect(extend({ maxWindowSeconds: 200 })).to.equal(200);
    expect(extend({ windowSeconds: 20 * 86_400 })).to.equal(30 * 86_400);
  });

  it('gives a complete policy back unchanged', () => {
    const ops = fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const);
    const input = fc.record(
      {
        windowSeconds: fc.integer({ min: 2, max: 2_592_000 }),
        targets: fc.record({ max_error_rate: fc.constant(0.02), latency_p95_ms: fc.integer({ min: 1, max: 9000 }) }),
        onInconclusive: fc.constantFrom('block', 'extend', 'promote'),
        promote: fc.constantFrom('end', 'early'),
        minCoverage: fc.double({ min: 0, max: 1, noNaN: true }),
        alpha: fc.record({ rollback: fc.double({ min: 1e-9, max: 0.5, noNaN: true }) }),
        objectives: fc.uniqueArray(
          fc.record({ name: fc.constantFrom('a', 'b_1', 'c.d'), op: ops, value: fc.integer() }),
          {
            selector: ({ name }) => name,
          },
        ),
      },
      { requiredKeys: ['windowSeconds', 'targets'] },
    );
    fc.assert(
      fc.property(input, (given) => {
        const once = parsePolicy(given);
        expect(parsePolicy(JSON.parse(JSON.stringify(once)))).to.deep.equal(once);
      }),
    );
  });

  const refused: [string, unknown, RegExp][] = [
    [
      'a rate of 0',
      { windowSeconds: 60, targets: { max_error_rate: 0 } },
      /max_error_rate: 0 can never be certified: choose the smallest rate you care about, e\.g\. 0\.001/,
    ],
    [
      'a rate in percent',
      { windowSeconds: 60, targets: { max_error_rate: 2 } },
      /targets\.max_error_rate: .*did you mean 0\.02\?/,
    ],
    ['a negative rate', { windowSeconds: 60, targets: { max_error_rate: -0.1 } }, /between 0 and 1, got -0\.1/],
    [
      'a latency of 0',
      { windowSeconds: 60, targets: { latency_p95_ms: 0 } },
      /targets\.latency_p95_ms: must be more than 0 milliseconds/,
    ],
    ['a drift of 0', { windowSeconds: 60, targets: { max_drift: 0 } }, /targets\.max_drift: must be above 0/],
    [
      'NaN',
      { windowSeconds: 60, targets: { max_drift: Number.NaN } },
      /targets\.max_drift: expected a number, got NaN/,
    ],
    [
      'text for seconds',
      minimal({ windowSeconds: '120s' }),
      /windowSeconds: must be a number of seconds, e\.g\. 120, got "120s"/,
    ],
    ['no window', { targets: { max_drift: 0.1 } }, /windowSeconds: is missing/],
    ['a window over 30 days', minimal({ windowSeconds: 2_592_001 }), /windowSeconds: must be at most 2592000/],
    [
      'a window of one interval',
      minimal({ windowSeconds: 8, intervalSeconds: 5 }),
      /at least twice intervalSeconds \(5\)/,
    ],
    ['no target', { windowSeconds: 60 }, /targets: nothing to judge/],
    ['empty targets in YAML', { windowSeconds: 60, targets: null }, /targets: expected a group of keys, got nothing/],
    ['alpha 0', minimal({ alpha: { promote: 0 } }), /alpha\.promote: must be above 0/],
    [
      'alpha in percent',
      minimal({ alpha: { rollback: 5 } }),
      /alpha\.rollback: must be at most 0\.5.*did you mean 0\.05/,
    ],
    ['coverage in percent', minimal({ minCoverage: 80 }), /minCoverage: .*did you mean 0\.8\?/],
    [
      'a maximum below the window',
      minimal({ onInconclusive: 'extend', maxWindowSeconds: 60 }),
      /maxWindowSeconds: must be at least windowSeconds \(120\)/,
    ],
    [
      'a maximum that is never used',
      minimal({ maxWindowSeconds: 600 }),
      /maxWindowSeconds: has no effect with onInconclusive: block/,
    ],
    [
      'a misspelt choice',
      minimal({ onInconclusive: 'extand' }),
      /onInconclusive: must be one of block, extend, promote.*did you mean extend\?/,
    ],
    ['another version', minimal({ version: 2 }), /version: must be 1, got 2/],
    [
      'slow requests without a limit',
      minimal({ relative: { max_slow_ratio: 2 } }),
      /relative\.max_slow_ratio: needs a latency target/,
    ],
    [
      'a misspelt key',
      { windowSeconds: 60, targets: { max_eror_rate: 0.02 } },
      /targets\.max_eror_rate: unknown key; did you mean max_error_rate\?/,
    ],
    [
      'a key in another spelling',
      minimal({ interval_seconds: 5 }),
      /interval_seconds: unknown key; did you mean intervalSeconds\?/,
    ],
    ['a key that resembles none', minimal({ zzz: 1 }), /zzz: unknown key; known keys: version, name, windowSeconds/],
    [
      'an objective twice',
      minimal({ objectives: ['a < 1', 'a > 0'] }),
      /objectives\[1\]: a is already limited by objectives\[0\]/,
    ],
    [
      'an objective that a target has',
      minimal({ objectives: ['error_rate < 1'] }),
      /error_rate is already limited by targets\.max_error_rate/,
    ],
    [
      'a bad operator',
      minimal({ objectives: ['ttft_p95_ms == 800'] }),
      /objectives\[0\]: .*one of <, <=, >, >= at column 13, found "== 800"/,
    ],
    ['a unit', minimal({ objectives: ['ok < 1', 'ttft < 800ms'] }), /objectives\[1\]: .*at column 11, found "ms"/],
    ['an unfinished objective', minimal({ objectives: ['ttft <'] }), /expected a number at column 7, found the end/],
    [
      'an objective object without a value',
      minimal({ objectives: [{ name: 'a', op: '<' }] }),
      /objectives\[0\]\.value: is missing/,
    ],
    ['an objective of another kind', minimal({ objectives: [7] }), /objectives\[0\]: expected text, got 7/],
    ['a list', [], /expected a group of keys, got a list/],
    ['nothing', null, /expected a group of keys, got nothing/],
  ];
  for (const [what, input, message] of refused) {
    it(`refuses ${what} and says why`, () => {
      const [first] = refusal(input).split('\n');
      expect(first).to.match(/^slo\.yaml: /);
      expect(first).to.match(message);
    });
  }

  it('lists further problems after a first line that stands alone', () => {
    const lines = refusal({ windowSeconds: 60, targets: { max_error_rate: 2, max_drift: -1 }, nam: 'x' }).split('\n');
    expect(lines).to.have.length(3);
    expect(lines[0]).to.match(/^slo\.yaml: targets\.max_error_rate: /);
    expect(lines[1]).to.match(/^ {2}also targets\.max_drift: /);
    expect(lines[2]).to.equal('  also nam: unknown key; did you mean name?');
  });
});

describe('parsePolicyText', () => {
  const refusalOf = (text: string) =>
    parsePolicyText(text, 'slo.yaml').then(
      () => expect.fail('the policy was accepted'),
      (error: LukhasError) => {
        expect(error.code).to.equal('POLICY');
        return error.message;
      },
    );

  it('reads the same from YAML and JSON', async () => {
    const yaml = 'windowSeconds: 120 # two minutes\ntargets:\n  max_error_rate: 2e-2\nobjectives: ["ttft < 800"]\n';
    const json =
      '{\n\t"windowSeconds": 120,\n\t"targets": {"max_error_rate": 0.02},\n\t"objectives": ["ttft < 800"]\n}';
    expect(await parsePolicyText(yaml, 'a')).to.deep.equal(await parsePolicyText(json, 'b'));
  });

  it('tells line and column of a mistake of syntax', async () => {
    expect(await refusalOf('windowSeconds: 120\ntargets: {max_error_rate: 0.02\n')).to.match(/^slo\.yaml:\d+:\d+: /);
    expect(await refusalOf('{"windowSeconds": 60,\n "windowSeconds": 120}')).to.match(/^slo\.yaml:2:2: .*unique/);
    expect(await refusalOf('windowSeconds: 120\n---\nwindowSeconds: 60\n')).to.match(
      /^slo\.yaml:2:1: contains more than one/,
    );
  });

  it('says what an empty file lacks', async () => {
    expect(await refusalOf('')).to.equal('slo.yaml: expected a group of keys, got nothing (null)');
  });
});

describe('policyJsonSchema', () => {
  it('describes what a user writes: every key, its default, only the window required', () => {
    const schema = policyJsonSchema() as {
      $schema: string;
      required: string[];
      additionalProperties: boolean;
      properties: Record<
        string,
        { description?: string; default?: unknown; anyOf?: unknown; items?: { anyOf: unknown[] } }
      >;
    };
    expect(schema.$schema).to.equal('https://json-schema.org/draft/2020-12/schema');
    expect(schema.required).to.deep.equal(['windowSeconds']);
    expect(schema.additionalProperties).to.equal(false);
    const keys = [...Object.keys(parsePolicy(minimal())), 'name', 'approvals'];
    expect(Object.keys(schema.properties)).to.have.members(keys);
    for (const [key, property] of Object.entries(schema.properties)) expect(property.description, key).to.match(/\.$/);
    expect(schema.properties['noDataSeconds']?.default).to.equal(90);
    expect(schema.properties['objectives']?.default).to.deep.equal([]);
    expect(schema.properties['objectives']?.items?.anyOf).to.have.length(2);
  });

  it('offers only defaults that the policy then has', () => {
    const { properties } = policyJsonSchema() as { properties: Record<string, { default?: unknown }> };
    const policy = parsePolicy(minimal()) as unknown as Record<string, unknown>;
    for (const [key, property] of Object.entries(properties)) {
      if (property.default === undefined || typeof property.default === 'object') continue;
      expect(policy[key], key).to.equal(property.default);
    }
  });
});

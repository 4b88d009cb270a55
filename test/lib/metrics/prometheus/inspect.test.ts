import { expect } from 'chai';
import { parsePolicy } from '../../../../src/lib/judge/policy-schema.js';
import { type Finding, inspect, isAlone, needsOf } from '../../../../src/lib/metrics/inspect/index.js';
import { inspectPrometheus } from '../../../../src/lib/metrics/prometheus/inspect.js';
import { openPrometheus } from '../../../../src/lib/metrics/prometheus/prometheus.js';
import { parseArms, parseSignals, signalsInput } from '../../../../src/lib/metrics/signals/index.js';
import { type StubPrometheus, type StubSeries, stubPrometheus, success } from './stub.js';

type Up = Record<string, number>;

describe('the preflight check of a Prometheus', () => {
  let stub: StubPrometheus;
  beforeEach(async () => {
    stub = await stubPrometheus();
  });
  afterEach(() => stub.close());

  const written = signalsInput.parse({ requests: 'requests_total', errors: 'failed_total' });
  const ARMS = { canary: '{job="v2"}', baseline: '{job="v1"}' };
  const policy = parsePolicy({ windowSeconds: 60, targets: { max_error_rate: 0.02 } });

  /** Versions that have series, and what `up` says of each. */
  function holds(versions: readonly string[], up: Up): void {
    stub.series = versions.flatMap((job): StubSeries[] =>
      ['requests_total', 'failed_total'].map((name) => ({ metric: { __name__: name, job }, values: [[1000, '900']] })),
    );
    const sample = (metric: Record<string, string>, value: number) => ({ metric, value: [1000, String(value)] });
    stub.answer = (query) => {
      if (query.startsWith('{') && query.endsWith(']')) return undefined;
      // Whether it is a Prometheus, and whether any series has the label.
      if (query === 'vector(1)' || query.startsWith('count(')) return success('vector', [sample({}, 1)]);
      const told = /^\{.*"up".*job="([^"]*)"/.exec(query)?.[1] ?? /^up\{job="([^"]*)"/.exec(query)?.[1];
      if (told !== undefined)
        return success(
          'vector',
          up[told] === undefined ? [] : [sample({ __name__: 'up', job: told, instance: `${told}:80` }, up[told])],
        );
      const all = stub.series.map(({ metric }) => sample(metric, 900));
      return success('vector', query.startsWith('count by (__name__, job)') ? all : []);
    };
  }

  async function checked(arms = ARMS): Promise<{ findings: Finding[]; alone: boolean }> {
    const source = openPrometheus(
      { signals: written, arms, url: stub.url, queries: {}, timeoutMs: 4000, staleSeconds: 90 },
      {},
      { now: () => 1_000_000, shareMs: 0 },
    );
    const signals = parseSignals(written);
    const facts = await source.inspect!({
      modelId: 'm',
      canaryGate: 'stage',
      baselineGate: 'production',
      windowSeconds: 60,
      withBaseline: true,
      signals,
    });
    await source.close();
    return { findings: inspect(facts, { signals, preset: null }, needsOf(policy, [])), alone: isAlone(facts) };
  }
  const shown = ({ findings }: { findings: Finding[] }) =>
    findings.map(({ level, arm, words }) => `${level} ${arm}: ${words}`);

  it('lets a canary that cannot be scraped start where its baseline is', async () => {
    holds(['v1'], { v1: 1, v2: 0 });
    const found = await checked();
    expect(found.alone).to.equal(true);
    expect(shown(found)[0]).to.equal(
      'warning canary: Prometheus cannot scrape {instance="v2:80",job="v2"} (up is 0); it is asked again at every check',
    );
    expect(found.findings.some(({ level }) => level === 'fatal')).to.equal(false);
  });

  it('lets one start whose samples from before it went down are still there', async () => {
    holds(['v1', 'v2'], { v1: 1, v2: 0 });
    const found = await checked();
    expect(found.alone).to.equal(true);
    expect(shown(found).join('\n')).to.contain('up is 0').and.to.contain('info canary: requests_total: 1 series');
  });

  it('lets one start of which there is nothing at all, while its baseline is there', async () => {
    holds(['v1'], { v1: 1 });
    const found = await checked();
    expect(found.alone).to.equal(true);
    expect(shown(found)[0]).to.match(/^warning canary: no series requests_total\{job="v2"\} \(job seen: v1\)/);
  });

  it('does not call one alone that is scraped and has no series yet: nothing may have been asked of it', async () => {
    holds(['v1'], { v1: 1, v2: 1 });
    expect((await checked()).alone).to.equal(false);
  });

  it('still names the nearest value where the label is misspelt', async () => {
    holds(['v1', 'v2'], { v1: 1, v2: 1 });
    const found = await checked({ canary: '{job="V2"}', baseline: '{job="v1"}' });
    expect(found.findings[0]).to.include({ level: 'fatal', advice: 'Did you mean job="v2"?' });
    expect(found.findings[0]!.unanswered).to.equal(undefined);
  });

  it('names a label of the right version for each of the two, where no series has it', async () => {
    holds(['v1', 'v2'], { v1: 1, v2: 1 });
    const answer = stub.answer;
    stub.answer = (query, nth) => (query.startsWith('count({') ? success('vector', []) : answer(query, nth));
    const found = await checked({ canary: '{track="x"}', baseline: '{track="y"}' });
    expect(found.findings.map(({ arm, advice }) => [arm, /version: v./.exec(advice ?? '')?.[0]])).to.deep.equal([
      ['canary', 'version: v2'],
      ['baseline', 'version: v1'],
    ]);
  });

  it('is fatal where neither version can be scraped, or nobody answers', async () => {
    holds([], { v1: 0, v2: 0 });
    const down = await checked();
    expect(down.findings.map(({ level, unanswered }) => [level, unanswered])).to.deep.equal([
      ['fatal', true],
      ['fatal', true],
    ]);
    const matchers = parseArms(ARMS);
    const facts = await inspectPrometheus(
      {
        query: async () => ({ ok: false, missing: { state: 'unreachable', detail: 'connection refused' } }),
        samples: async () => ({ ok: false, missing: { state: 'unreachable', detail: 'connection refused' } }),
      },
      { url: stub.url, reachMs: 90_000, signals: parseSignals(written), ...matchers },
    );
    const findings = inspect(facts, { signals: parseSignals(written), preset: null }, needsOf(policy, []));
    expect(shown({ findings })).to.deep.equal([
      'fatal canary: connection refused (unreachable)',
      'fatal baseline: connection refused (unreachable)',
    ]);
  });
});

import { expect } from 'chai';
import fc from 'fast-check';
import type { LukhasError } from '../../../../src/lib/errors.js';
import type { PastSpan } from '../../../../src/lib/metrics/prometheus/past.js';
import { openPrometheus, openPrometheusPast } from '../../../../src/lib/metrics/prometheus/prometheus.js';
import { BY_GATE, DEFAULT_SIGNALS } from '../../../../src/lib/metrics/signals/index.js';
import type { PrometheusConfig, ReadRequest } from '../../../../src/lib/metrics/source.js';
import { cases } from '../../../cases.js';
import { type StubPrometheus, type StubSeries, stubPrometheus, success } from './stub.js';

const T = 1_790_000_000;
const EXPRESSION = 'max(drift{gate="$__gate"})';

describe('the past of a Prometheus', () => {
  let stub: StubPrometheus;
  beforeEach(async () => {
    stub = await stubPrometheus();
  });
  afterEach(() => stub.close());

  const config = (more: Partial<PrometheusConfig> = {}): PrometheusConfig => ({
    url: stub.url,
    arms: BY_GATE,
    signals: { ...DEFAULT_SIGNALS, drift: null },
    queries: {},
    timeoutMs: 1000,
    staleSeconds: 20,
    ...more,
  });
  const request = (at: number, cursor: unknown): ReadRequest => ({
    modelId: 'm',
    canaryGate: 'stage',
    baselineGate: 'production',
    windowSeconds: 60,
    at,
    cursor,
    scalars: [],
    withBaseline: true,
  });
  const times = ({ from, to, stepMs }: PastSpan) =>
    Array.from({ length: Math.floor((to - from) / stepMs) + 1 }, (_, i) => from + i * stepMs);

  /** What a canary records that looks at these times while they pass. */
  async function live(span: PastSpan, settings: PrometheusConfig): Promise<unknown[]> {
    let now = 0;
    const source = openPrometheus(settings, {}, { now: () => now, shareMs: 0 });
    const observations: unknown[] = [];
    let cursor: unknown = null;
    for (const at of times(span)) {
      [now, stub.now] = [at, at / 1000];
      const reading = await source.read(request(at, cursor));
      observations.push(reading.observation);
      cursor = reading.cursor ?? cursor;
    }
    await source.close();
    stub.now = null;
    return observations;
  }

  async function past(span: PastSpan, settings: PrometheusConfig) {
    const source = openPrometheusPast(settings, {}, span, { random: () => 0 });
    const observations: unknown[] = [];
    let cursor: unknown = null;
    try {
      for (const at of times(span)) {
        const reading = await source.read(request(at, cursor));
        observations.push(reading.observation);
        cursor = reading.cursor ?? cursor;
      }
      return { observations, account: source.account() };
    } finally {
      await source.close();
    }
  }

  /** Counters of pods that come late, restart, fall silent and go. */
  const pod = fc.record({
    gate: fc.constantFrom('stage', 'production'),
    every: fc.constantFrom(1, 5, 7, 15),
    begins: fc.integer({ min: -400, max: 60 }),
    ends: fc.integer({ min: 30, max: 120 }),
    silent: fc.integer({ min: 0, max: 100 }),
    restarts: fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 2 }),
  });
  type Pod = typeof pod extends fc.Arbitrary<infer P> ? P : never;

  function seriesOf({ gate, every, begins, ends, silent, restarts }: Pod, n: number): StubSeries[] {
    const kinds: [string, object, number][] = [
      ['model_requests_total', {}, 10],
      ['model_errors_total', {}, 1],
      ['model_latency_bucket', { le: '0.25' }, 8],
      ['model_latency_bucket', { le: '+Inf' }, 10],
      ['model_inflight_requests', {}, 0],
    ];
    return kinds.map(([name, more, rate]) => {
      const values: [number, string][] = [];
      for (let s = begins; s <= ends; s += every) {
        if (s >= silent && s < silent + 25) continue;
        const since = Math.max(begins, ...restarts.filter((at) => at <= s));
        values.push([T + s + 0.137, String((s - since + 1) * rate)]);
      }
      return { metric: { __name__: name, gate, pod: String(n), ...more }, values };
    });
  }

  it('gives the very looks that a canary would have recorded then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pod, { minLength: 1, maxLength: 4 }), async (pods) => {
        stub.series = pods.flatMap(seriesOf).filter(({ values }) => values.length > 0);
        const span = { from: T * 1000, to: (T + 120) * 1000, stepMs: 5000 };
        const expected = await live(span, config());
        expect((await past(span, config())).observations).to.deep.equal(expected);
      }),
      { numRuns: cases(25, 5) },
    );
  });

  it('reads a long time in few pieces, each sample once', async () => {
    const values = Array.from({ length: 4000 }, (_, i): [number, string] => [T - 300 + i * 5, String(i)]);
    stub.series = ['model_requests_total', 'model_errors_total', 'model_latency_bucket'].map((name) => ({
      metric: { __name__: name, gate: 'stage', ...(name.endsWith('bucket') ? { le: '+Inf' } : {}) },
      values,
    }));
    const span = { from: T * 1000, to: (T + 4 * 3600) * 1000, stepMs: 60_000 };
    const { account } = await past(span, config());
    expect(stub.queries.length).to.be.within(2, 12);
    // From five minutes and the reach before the first look to the last look.
    expect(account).to.include({ series: 3, spacingSeconds: 5, samples: (3 * (4 * 3600 + 300)) / 5 });
  });

  it('takes smaller pieces where Prometheus refuses large ones', async () => {
    stub.series = [{ metric: { __name__: 'model_requests_total', gate: 'stage' }, values: [[T, '1']] }];
    stub.answer = (query) =>
      Number(/\[(\d+)s\]/.exec(query)?.[1]) > 100
        ? { status: 422, body: { status: 'error', errorType: 'execution', error: 'too many samples' } }
        : undefined;
    const { account } = await past({ from: T * 1000, to: (T + 60) * 1000, stepMs: 5000 }, config());
    expect(account.samples).to.equal(1);
  });

  it('evaluates expressions at the looks, at most 11,000 points a query', async () => {
    const settings = config({ queries: { drift: EXPRESSION } });
    const asked: URLSearchParams[] = [];
    stub.range = (parameters) => {
      asked.push(parameters);
      const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(parameters.get(name)));
      const values: [number, string][] = [];
      for (let t = start!; t <= end!; t += step!)
        if (t !== T + 10) values.push([t, t === T + 15 ? 'NaN' : String(t - T)]);
      return success('matrix', [{ metric: {}, values }], { warnings: ['metric might not be a counter'] });
    };
    const { observations, account } = await past({ from: T * 1000, to: (T + 60_000) * 1000, stepMs: 5000 }, settings);
    const drift = observations.map(
      (o) => (o as { scalars: { drift: { state: string; value?: number } } }).scalars.drift,
    );
    expect(drift[1]).to.deep.equal({ state: 'ok', value: 5 });
    expect(drift[2]).to.include({ state: 'absent' });
    expect(drift[3]).to.include({ state: 'invalid' });
    expect(drift.at(-1)).to.deep.equal({ state: 'ok', value: 60_000 });
    for (const parameters of asked) {
      expect(parameters.get('query')).to.equal('max(drift{gate="stage"})');
      const points = (Number(parameters.get('end')) - Number(parameters.get('start'))) / 5 + 1;
      expect(points).to.be.within(1, 11_000);
    }
    expect(asked.length).to.be.within(2, 4);
    expect(account.warnings).to.deep.equal(['metric might not be a counter']);
  });

  it('asks look by look where one look of a range cannot be evaluated', async () => {
    const settings = config({ queries: { drift: EXPRESSION } });
    const failed = { status: 422, body: { status: 'error', errorType: 'execution', error: 'many-to-many matching' } };
    stub.range = () => failed;
    stub.answer = (query, nth) => {
      if (!query.startsWith('max(')) return undefined;
      return nth % 2 === 0 ? failed : success('vector', [{ metric: {}, value: [T, '0.5'] }]);
    };
    const { observations } = await past({ from: T * 1000, to: (T + 30) * 1000, stepMs: 5000 }, settings);
    const states = observations.map((o) => (o as { scalars: { drift: { state: string } } }).scalars.drift.state);
    expect(new Set(states)).to.deep.equal(new Set(['ok', 'invalid']));
  });

  for (const [what, reply, code] of [
    ['down', { status: 503, body: 'no' }, 'SOURCE_UNREACHABLE'],
    ['refusing', { status: 401, body: 'no' }, 'SOURCE_REFUSED'],
    ['something else', { body: '<html>' }, 'SOURCE_INVALID'],
  ] as const) {
    it(`is an error, and no silence of the canary, where Prometheus is ${what}`, async () => {
      stub.answer = () => reply;
      const error = await past({ from: T * 1000, to: (T + 5) * 1000, stepMs: 5000 }, config()).catch((e: unknown) => e);
      expect((error as LukhasError).code).to.equal(code);
      expect((error as LukhasError).message).to.match(/^nothing was judged, as the past could not be read/);
    });
  }
});

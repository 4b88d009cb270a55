import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import type { PrometheusOptions } from '../../../../src/lib/metrics/prometheus/prometheus.js';
import { openPrometheus } from '../../../../src/lib/metrics/prometheus/prometheus.js';
import { BY_GATE, DEFAULT_SIGNALS } from '../../../../src/lib/metrics/signals/index.js';
import type {
  MetricSource,
  PrometheusConfig,
  Reading,
  ReadRequest,
  SourceAuth,
} from '../../../../src/lib/metrics/source.js';
import { type StubPrometheus, type StubSeries, stubPrometheus, success, vector } from './stub.js';

const T = 1_790_000_000;
const DEMO = {
  latency_p95_ms: 'histogram_quantile(0.95, sum(rate(model_latency_bucket{gate="$__gate"}[$__window])) by (le)) * 1000',
  error_rate:
    'sum(rate(model_errors_total{gate="$__gate"}[$__window])) / clamp_min(sum(rate(model_requests_total{gate="$__gate"}[$__window])),1)',
};

const SIGNALS = { ...DEFAULT_SIGNALS, drift: null, inflight: null };
const ONE = { expected: 1, up: 1 };
const isSelector = (query: string): boolean => query.startsWith('{');
/** Both arms alike. */
const both = (arm: string) => ({ canary: arm, baseline: arm });
const NAMES =
  'model_latency_bucket|model_latency_count|model_latency|model_requests_total|model_errors_total|up|process_start_time_seconds';

describe('openPrometheus', () => {
  let stub: StubPrometheus;
  let now: number;
  const opened: MetricSource[] = [];

  beforeEach(async () => {
    stub = await stubPrometheus();
    now = T * 1000;
  });

  afterEach(async () => {
    for (const source of opened.splice(0)) await source.close();
    await stub.close();
  });

  function open(config: Partial<PrometheusConfig> = {}, auth: SourceAuth = {}, options: PrometheusOptions = {}) {
    const base = {
      url: stub.url,
      arms: BY_GATE,
      signals: SIGNALS,
      queries: {},
      timeoutMs: 1000,
      staleSeconds: 60,
    };
    const source = openPrometheus({ ...base, ...config }, auth, {
      now: () => now,
      random: () => 0,
      shareMs: 0,
      ...options,
    });
    opened.push(source);
    return source;
  }

  const request = (more: Partial<ReadRequest> = {}): ReadRequest => ({
    modelId: 'm',
    canaryGate: 'stage',
    baselineGate: 'production',
    windowSeconds: 120,
    at: now,
    cursor: null,
    scalars: [],
    withBaseline: false,
    ...more,
  });

  /** One sample of every series of a gate, at `second` after T. */
  function expose(gate: string, second: number, requests: number, errors: number, slow: number, labels = {}): void {
    const set = (name: string, value: number, more = {}): void => {
      const metric = { __name__: name, gate, ...labels, ...more };
      const same = stub.series.find((series) => JSON.stringify(series.metric) === JSON.stringify(metric));
      const series: StubSeries = same ?? { metric, values: [] };
      if (!same) stub.series.push(series);
      series.values.push([T + second, String(value)]);
    };
    set('model_requests_total', requests);
    set('model_errors_total', errors);
    set('model_latency_bucket', requests - slow, { le: '0.25' });
    set('model_latency_bucket', requests, { le: '+Inf' });
  }

  /** Looks at each of the given seconds, each with the cursor of the look before. */
  async function looks(
    source: MetricSource,
    steps: [second: number, expose: () => unknown][],
    more = {},
  ): Promise<Reading[]> {
    const readings: Reading[] = [];
    let cursor: unknown = null;
    for (const [second, act] of steps) {
      act();
      now = (T + second) * 1000;
      const reading = await source.read(request({ cursor, ...more }));
      cursor = reading.cursor === null ? cursor : JSON.parse(JSON.stringify(reading.cursor));
      readings.push(reading);
    }
    return readings;
  }

  it('takes increments of both arms out of raw counters with one request a look', async () => {
    const steps: [number, () => void][] = [
      [1, () => [expose('stage', 0, 100, 5, 10), expose('production', 0, 1000, 1, 50)]],
      [6, () => [expose('stage', 5, 140, 7, 14), expose('production', 5, 1400, 3, 60)]],
    ];
    const [first, second] = await looks(open(), steps, { withBaseline: true });
    expect(first?.observation).to.deep.equal({
      v: 1,
      t: (T + 1) * 1000,
      from: (T + 1) * 1000,
      canary: { errors: { state: 'first' }, latency: { state: 'first' }, targets: ONE },
      baseline: { errors: { state: 'first' }, latency: { state: 'first' }, targets: ONE },
    });
    expect(second?.observation).to.deep.equal({
      v: 1,
      t: (T + 6) * 1000,
      from: (T + 1) * 1000,
      canary: {
        errors: { state: 'ok', bad: 2, total: 40 },
        latency: { state: 'ok', bounds: [250], counts: [36, 4] },
        targets: ONE,
      },
      baseline: {
        errors: { state: 'ok', bad: 2, total: 400 },
        latency: { state: 'ok', bounds: [250], counts: [390, 10] },
        targets: ONE,
      },
    });
    expect(stub.queries).to.have.length(2);
    expect(stub.queries[0]).to.equal(`{__name__=~"${NAMES}",gate=~"stage|production"}[120s]`);
    expect(stub.load.connections, 'connections are kept').to.equal(1);
  });

  it('shares a request among readers of the same gate and model, also just after it was answered', async () => {
    expose('stage', 0, 100, 5, 10);
    stub.answer = () => ({ ...success('matrix', stub.series), delay: 20 });
    const source = open({ queries: { drift: 'max(drift{gate="$__gate"})' } }, {}, { shareMs: 1000 });
    await Promise.all(Array.from({ length: 50 }, () => source.read(request())));
    await source.read(request());
    expect(stub.queries).to.have.length(2);
    await source.read(request({ canaryGate: 'other' }));
    expect(stub.queries.filter((query) => !query.startsWith('count by'))).to.have.length(4);
  });

  it('asks again once an answer is older than the sharing time', async () => {
    const source = open({}, {}, { shareMs: 30 });
    await source.read(request());
    await new Promise((resolve) => setTimeout(resolve, 40));
    await source.read(request());
    expect(stub.queries.filter(isSelector)).to.have.length(2);
  });

  it('keeps the sockets to Prometheus bounded', async () => {
    stub.answer = () => ({ ...success('matrix', []), delay: 10 });
    const source = open({ arms: both('{gate="$__gate",model="$__model"}') });
    await Promise.all(Array.from({ length: 60 }, (_, i) => source.read(request({ modelId: `m${i}` }))));
    expect(stub.queries.filter(isSelector)).to.have.length(60);
    expect(stub.load.most).to.be.within(2, 16);
  });

  it('gives up a shared request only when its last reader is gone', async () => {
    stub.answer = () => ({ ...success('matrix', []), delay: 60 });
    const source = open();
    const [one, both] = [new AbortController(), new AbortController()];
    const aborted = source.read(request({ signal: one.signal })).then(
      () => null,
      (reason: unknown) => reason,
    );
    const kept = source.read(request({ signal: both.signal }));
    one.abort(new Error('enough'));
    expect(await aborted).to.have.property('message', 'enough');
    expect((await kept).observation.canary.errors?.state).to.equal('absent');
    const lone = source.read(request({ signal: both.signal, canaryGate: 'x' }));
    both.abort(new Error('stop'));
    expect(await lone.catch((reason: unknown) => reason)).to.have.property('message', 'stop');
  });

  it('escapes gate and model in selectors', async () => {
    const source = open({ arms: both('{gate="$__gate",model="v-$__model",tier=~"a|$__gate"}') });
    await source.read(request({ canaryGate: 'a"}\n', modelId: '.*' }));
    expect(stub.queries[0]).to.equal(
      `{__name__=~"${NAMES}",gate="a\\"}\\n",model="v-.*",tier=~"a|a\\"\\\\}\\n"}[120s]`,
    );
  });

  /** When the process of a gate began, seconds after T. */
  function started(gate: string, second: number, at: number): void {
    const metric = { __name__: 'process_start_time_seconds', gate };
    const known = stub.series.find((one) => one.metric['__name__'] === metric.__name__ && one.metric['gate'] === gate);
    const series: StubSeries = known ?? { metric, values: [] };
    if (!known) stub.series.push(series);
    series.values.push([T + second, String(T + at)]);
  }

  it('sees a restart between two looks that the newest samples alone hide', async () => {
    const steps: [number, () => unknown][] = [
      [1, () => [expose('stage', 0, 100, 5, 10), started('stage', 0, -500)]],
      [
        21,
        () => [
          ...[expose('stage', 5, 120, 6, 12), expose('stage', 10, 30, 1, 3), expose('stage', 15, 150, 9, 20)],
          ...[started('stage', 5, -500), started('stage', 10, 7), started('stage', 15, 7)],
        ],
      ],
      [26, () => [expose('stage', 20, 160, 9, 20), started('stage', 20, 7)]],
    ];
    const [, second, third] = await looks(open(), steps);
    expect(second?.observation.canary).to.deep.equal({
      errors: { state: 'ok', bad: 1 + 1 + 8, total: 20 + 30 + 120 },
      latency: { state: 'ok', bounds: [250], counts: [18 + 27 + 103, 2 + 3 + 17] },
      resets: 1,
      restarts: 1,
      targets: ONE,
    });
    expect(third?.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 10 });
    expect(third?.observation.canary.resets).to.equal(undefined);
  });

  it('sees it without the start of the process from samples that go on rising', async () => {
    const samples = [120, 30, 70, 110, 150].map((requests, i) => () => expose('stage', 5 * (i + 1), requests, 0, 0));
    const [, second] = await looks(open(), [
      [1, () => expose('stage', 0, 100, 0, 0)],
      [26, () => samples.map((sample) => sample())],
    ]);
    expect(second?.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 20 + 150 });
    expect(second?.observation.canary.resets).to.equal(1);
  });

  it('does not take two processes that answer in turn for restarts', async () => {
    const samples = [180, 120, 185, 125, 190, 130].map((requests, i) => () => expose('stage', 10 + i, requests, 0, 0));
    const [, , third] = await looks(open(), [
      [1, () => expose('stage', 0, 110, 0, 0)],
      [6, () => expose('stage', 5, 115, 0, 0)],
      [16, () => samples.map((sample) => sample())],
    ]);
    expect(third?.observation.canary.errors).to.deep.include({ state: 'unstable' });
  });

  it('sees a restart in a gap in which it could not look, older than what counts as stale', async () => {
    const begin: [number, () => unknown] = [1, () => [expose('stage', 0, 100, 5, 10), started('stage', 0, -500)]];
    const [, second] = await looks(open(), [
      begin,
      [
        401,
        () => [
          ...[expose('stage', 200, 40, 1, 4), expose('stage', 400, 130, 2, 13)],
          ...[started('stage', 200, 150), started('stage', 400, 150)],
        ],
      ],
    ]);
    expect(stub.queries[1]).to.match(/\[300s\]$/);
    stub.series.splice(0);
    const gap = await looks(open(), [
      begin,
      [
        401,
        () => {
          stub.series.splice(0);
          expose('stage', 200, 40, 1, 4);
          expose('stage', 400, 130, 2, 13);
          started('stage', 200, 150);
          started('stage', 400, 150);
        },
      ],
    ]);
    for (const reading of [second, gap[1]])
      expect(reading?.observation.canary).to.deep.include({
        errors: { state: 'ok', bad: 2, total: 130 },
        resets: 1,
        restarts: 1,
      });
  });

  it('does not take a falling gauge for a restart', async () => {
    const signals = { ...DEFAULT_SIGNALS, drift: null };
    const inflight: StubSeries = {
      metric: { __name__: 'model_inflight_requests', gate: 'stage' },
      values: [[T, '9']],
    };
    stub.series.push(inflight);
    const [, second] = await looks(open({ signals }), [
      [1, () => expose('stage', 0, 100, 5, 10)],
      [6, () => [expose('stage', 5, 140, 7, 14), inflight.values.push([T + 2, '7'], [T + 5, '4'])]],
    ]);
    expect(second?.observation.canary).to.include({ inflight: 4 });
    expect(second?.observation.canary.resets).to.equal(undefined);
  });

  describe('says why there is no number', () => {
    it('unchanged: the newest sample is the one seen before', async () => {
      const [, second, third] = await looks(open(), [
        [1, () => expose('stage', 0, 100, 5, 10)],
        [3, () => undefined],
        [6, () => expose('stage', 5, 140, 7, 14)],
      ]);
      expect(second?.observation.canary).to.deep.equal({
        errors: { state: 'unchanged' },
        latency: { state: 'unchanged' },
        targets: ONE,
      });
      expect(third?.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 2, total: 40 });
    });

    it('stale: the newest sample is older than allowed, and stays in reach while the counters stand', async () => {
      const [, second] = await looks(open(), [
        [1, () => expose('stage', 0, 100, 5, 10)],
        [100, () => undefined],
      ]);
      expect(second?.observation.canary.errors).to.deep.equal({
        state: 'stale',
        detail: 'newest sample of model_requests_total{gate="stage"} is 100 s old',
      });
      expect(second?.observation.canary.latency?.state).to.equal('stale');
      expect(stub.queries[1]).to.match(/\[150s\]$/);
    });

    it('absent: no such series, with the selector asked for', async () => {
      const { observation } = await open().read(request());
      expect(observation.canary).to.deep.equal({
        errors: { state: 'absent', detail: 'no series model_requests_total{gate="stage"}' },
        latency: { state: 'absent', detail: 'no series model_latency_bucket{gate="stage"}' },
      });
    });

    it('invalid: a counter that is NaN', async () => {
      expose('stage', 0, Number.NaN, 5, 10);
      const { canary } = (await open().read(request())).observation;
      expect(canary.errors).to.deep.include({ state: 'invalid' });
      expect(canary.errors).to.have.property('detail').that.includes('model_requests_total').and.includes('NaN');
      expect(canary.latency?.state).to.equal('invalid');
    });

    it('unreachable: nobody listens, and the counters are kept for later', async () => {
      const source = open();
      expose('stage', 0, 100, 5, 10);
      const first = await source.read(request());
      const down = open({ url: 'http://127.0.0.1:9', timeoutMs: 300 });
      const second = await down.read(request({ cursor: first.cursor }));
      expect(second.cursor).to.equal(null);
      expect(second.observation.canary.errors).to.deep.equal({
        state: 'unreachable',
        detail: 'http://127.0.0.1:9/api/v1/query: connection refused (ECONNREFUSED)',
      });
      expose('stage', 5, 140, 7, 14);
      const third = await source.read(request({ cursor: first.cursor }));
      expect(third.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 2, total: 40 });
    });

    const answers: [string, StubPrometheus['answer'], string, string][] = [
      ['401', () => ({ status: 401, type: 'text/plain', body: 'who?' }), 'refused', 'answered 401'],
      ['500', () => ({ status: 500, type: 'text/plain', body: 'oh' }), 'unreachable', 'answered 500'],
      ['429', () => ({ status: 429, type: 'text/plain', body: 'slow' }), 'unreachable', 'answered 429'],
      [
        'HTML',
        () => ({ type: 'text/html', body: '<html>' }),
        'invalid',
        'does not answer as Prometheus does (text/html)',
      ],
      ['other JSON', () => ({ body: [1, 2] }), 'invalid', 'does not answer as Prometheus does'],
      ['null series', () => success('matrix', [null]), 'invalid', 'does not answer as Prometheus does'],
      ['a vector', () => vector('1'), 'invalid', 'asked for a range, Prometheus answered a vector'],
      [
        'bad_data',
        () => ({ status: 400, body: { status: 'error', errorType: 'bad_data', error: '1:5: parse error' } }),
        'invalid',
        'answered 400: 1:5: parse error',
      ],
    ];
    for (const [name, answer, state, detail] of answers)
      it(`${state}: ${name}`, async () => {
        stub.answer = answer;
        const { observation, cursor } = await open({ signals: DEFAULT_SIGNALS }).read(request({ withBaseline: true }));
        for (const arm of [observation.canary, observation.baseline])
          for (const signal of [arm?.errors, arm?.latency, arm?.score]) {
            expect(signal?.state).to.equal(state);
            expect(signal).to.have.property('detail').that.includes(detail);
          }
        expect(cursor).to.equal(null);
      });

    it('retries what may pass by itself, at most twice', async () => {
      stub.answer = (_, nth) => (nth < 3 ? { status: 503, body: '' } : undefined);
      expose('stage', 0, 100, 5, 10);
      expect((await open().read(request())).observation.canary.errors?.state).to.equal('first');
      stub.answer = () => ({ status: 503, body: '' });
      await open().read(request());
      expect(stub.queries).to.have.length(6);
    });

    it('stops when the time for a look is over, retries included', async () => {
      stub.answer = () => ({ body: '', delay: 600_000 });
      const { canary } = (await open({ timeoutMs: 100 }).read(request())).observation;
      // None was asked again.
      expect(stub.queries).to.have.length(new Set(stub.queries).size);
      expect(canary.errors).to.have.property('detail').that.includes('no complete answer');
    });

    it('invalid: a baseline that is the canary itself', async () => {
      expose('stage', 0, 100, 5, 10);
      const source = open({ arms: both('{gate="stage"}') });
      const { canary, baseline } = (await source.read(request({ withBaseline: true }))).observation;
      expect(canary.errors?.state).to.equal('first');
      expect(baseline?.errors).to.have.property('detail').that.includes('is the canary and the baseline');
    });
  });

  it('notes a clock that runs behind, and warnings of Prometheus', async () => {
    expose('stage', 100, 100, 5, 10);
    stub.answer = () => success('matrix', stub.series, { warnings: ['partial response'] });
    const { observation } = await open().read(request());
    expect(observation.notes).to.deep.equal([
      'canary: clock skew: newest sample is 100 s ahead of this clock',
      'Prometheus warns: partial response',
    ]);
  });

  describe('reads expressions', () => {
    const answerWith =
      (reply: ReturnType<typeof vector>): StubPrometheus['answer'] =>
      (query) =>
        query.includes('__name__') ? undefined : reply;

    it('as scalars beside the counters that a known shape names', async () => {
      stub.answer = answerWith(vector('0.25'));
      const [first, second] = await looks(
        open({
          queries: DEMO,
          arms: both('{job="unused"}'),
        }),
        [
          [1, () => [expose('stage', 0, 100, 5, 10), expose('production', 0, 10, 0, 0)]],
          [6, () => [expose('stage', 5, 140, 7, 14), expose('production', 5, 20, 1, 1)]],
        ],
        { withBaseline: true },
      );
      expect(first?.observation.scalars).to.deep.equal({
        latency_p95_ms: { state: 'ok', value: 0.25 },
        error_rate: { state: 'ok', value: 0.25 },
      });
      expect(second?.observation.canary).to.deep.equal({
        errors: { state: 'ok', bad: 2, total: 40 },
        latency: { state: 'ok', bounds: [250], counts: [36, 4] },
        targets: ONE,
      });
      expect(second?.observation.baseline?.errors).to.deep.equal({ state: 'ok', bad: 1, total: 10 });
      expect(stub.queries.slice(0, 3).sort()).to.deep.equal(
        [
          DEMO.latency_p95_ms.replace('$__gate', 'stage').replace('$__window', '120s'),
          DEMO.error_rate.replaceAll('$__gate', 'stage').replaceAll('$__window', '120s'),
          `{__name__=~"${NAMES.replace('|up|process_start_time_seconds', '')}",gate=~"stage|production"}[120s]`,
        ].sort(),
      );
    });

    it('alone when their shape is unknown or means something else than the objective', async () => {
      stub.answer = answerWith(vector('3'));
      const queries = {
        latency_p95_ms: DEMO.latency_p95_ms.replace('0.95', '0.99'),
        error_rate: `60 * ${DEMO.error_rate}`,
        drift: 'max(drift)',
      };
      const source = open({ queries, signals: DEFAULT_SIGNALS });
      const { observation } = await source.read(request({ withBaseline: true }));
      expect(observation.canary).to.deep.equal({});
      expect(observation).not.to.have.property('baseline');
      expect(Object.keys(observation.scalars ?? {})).to.deep.equal(['latency_p95_ms', 'error_rate', 'drift']);
      expect(stub.queries).to.have.length(3);
    });

    it('counts a ratio of one metric by its labels, and bounds in the unit of the expression', async () => {
      const series = (code: string, ...values: number[]): StubSeries => ({
        metric: { __name__: 'http_requests_total', code },
        values: values.map((value, i) => [T + i * 5, String(value)]),
      });
      const bucket = (le: string, ...values: number[]): StubSeries => ({
        metric: { __name__: 'd_us_bucket', le },
        values: values.map((value, i) => [T + i * 5, String(value)]),
      });
      const bad = series('500', 0, 10);
      const all = [bad, series('200', 100, 190), bucket('3000', 8, 9), bucket('+Inf', 8, 13)];
      let samples = 1;
      stub.answer = (query) => {
        if (!query.endsWith('s]')) return vector('1');
        const found = query.includes('code=~"5.."') ? [bad] : all;
        return success(
          'matrix',
          found.map(({ metric, values }) => ({ metric, values: values.slice(0, samples) })),
        );
      };
      const source = open({
        queries: {
          error_rate: 'sum(rate(http_requests_total{code=~"5.."}[1m])) / sum(rate(http_requests_total[1m]))',
          latency_p95_ms: 'histogram_quantile(0.95, sum by (le) (rate(d_us_bucket[1m]))) / 1000',
        },
      });
      const [, second] = await looks(source, [
        [1, () => undefined],
        [
          6,
          () => {
            samples = 2;
          },
        ],
      ]);
      expect(second?.observation.canary).to.deep.equal({
        errors: { state: 'ok', bad: 10, total: 100 },
        latency: { state: 'ok', bounds: [3], counts: [1, 4] },
        targets: ONE,
      });
    });

    it('of the policy by name, and says which have no query', async () => {
      stub.answer = answerWith(vector('7'));
      const { observation } = await open({ queries: { queue: 'sum(queue)', other: 'x' } }).read(
        request({ scalars: ['queue', 'constructor'] }),
      );
      expect(observation.scalars).to.deep.equal({
        queue: { state: 'ok', value: 7 },
        constructor: { state: 'no_source', detail: 'no query is configured for constructor' },
      });
      expect(stub.queries).not.to.include('x');
    });

    const results: [string, ReturnType<typeof vector>, object][] = [
      ['a scalar', success('scalar', [1, '2.5']), { state: 'ok', value: 2.5 }],
      ['nothing', vector(), { state: 'absent', detail: 'the expression returned no series' }],
      ['NaN', vector('NaN'), { state: 'invalid', detail: 'NaN (0/0 when there is no traffic)' }],
      ['+Inf', vector('+Inf'), { state: 'invalid', detail: '+Inf' }],
      ['several series', vector('1', '2', '3'), { state: 'invalid', detail: 'returned 3 series; aggregate it to one' }],
      [
        'a matrix',
        success('matrix', []),
        { state: 'invalid', detail: 'returned a matrix; write an expression that gives one number' },
      ],
    ];
    for (const [name, reply, signal] of results)
      it(`that give ${name}`, async () => {
        stub.answer = answerWith(reply);
        const { scalars } = (await open({ queries: { drift: 'd' } }).read(request())).observation;
        expect(scalars?.['drift']).to.deep.equal(signal);
      });
  });

  describe('check', () => {
    const refusal = async (source: MetricSource): Promise<LukhasError> => {
      const error: unknown = await source.check().then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(LukhasError);
      return error as LukhasError;
    };

    it('passes with a Prometheus that knows the expressions', async () => {
      stub.answer = () => vector();
      await open({ queries: DEMO }).check();
      expect(stub.queries).to.have.length(3);
    });

    it('refuses a syntax error before asking anybody', async () => {
      const error = await refusal(open({ queries: { error_rate: 'sum(rate(x[$__window])' } }));
      expect(error.code).to.equal('PROMQL');
      expect(error.message).to.include('PROM_Q_ERR: PromQL syntax error at column 23');
      expect(() => open({ arms: both('{gate="$__gat"}') }))
        .to.throw('arms.canary: ')
        .with.property('message')
        .that.includes('$__gat;');
      expect(stub.queries).to.deep.equal([]);
    });

    it('passes on what Prometheus finds wrong', async () => {
      stub.answer = (query) =>
        query === 'rate(up)'
          ? { status: 400, body: { status: 'error', errorType: 'bad_data', error: 'expected type range vector' } }
          : vector('1');
      const error = await refusal(open({ queries: { queue: 'rate(up)' } }));
      expect(error.code).to.equal('PROMQL');
      expect(error.message).to.equal('query queue: Prometheus refuses the expression: expected type range vector');
    });

    it('tells refused access and other services apart from one that is down', async () => {
      stub.answer = () => ({ status: 403, body: '' });
      expect((await refusal(open())).code).to.equal('SOURCE_REFUSED');
      stub.answer = () => ({ type: 'text/html', body: '<html>' });
      expect((await refusal(open())).code).to.equal('SOURCE_INVALID');
      expect((await refusal(open({ url: `${stub.url}/elsewhere` }))).message).to.include('answered 404');
      await open({ url: 'http://127.0.0.1:9', timeoutMs: 100, queries: DEMO }).check();
    });
  });

  it('sends credentials in the header alone, and tells nobody', async () => {
    stub.answer = () => ({ status: 401, body: '' });
    const bearer = open({}, { bearer: 's3cret' });
    const basic = open({}, { basic: { username: 'u', password: 'pä:ss' } });
    const reading = await bearer.read(request());
    await basic.read(request());
    expect(stub.headers.map((headers) => headers['authorization'])).to.deep.equal([
      'Bearer s3cret',
      `Basic ${Buffer.from('u:pä:ss').toString('base64')}`,
    ]);
    expect(JSON.stringify([reading, bearer.descriptor])).not.to.include('s3cret');
    const error = await bearer.check().catch((reason: unknown) => reason);
    expect(String(error)).to.include('PROM_BEARER').and.not.include('s3cret');
    expect(bearer.descriptor).to.deep.include({ kind: 'prometheus', url: stub.url, staleSeconds: 60 });
  });
});

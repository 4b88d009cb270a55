import { expect } from 'chai';
import { type PastSelection, replayPrometheus } from '../../../src/lib/app/replay-prometheus.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import { BY_GATE, DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';
import { parseSetting } from '../../../src/lib/replay/change-policy.js';
import { parseAxis } from '../../../src/lib/replay/sweep-axes.js';
import { FakeClock } from '../canary/harness.js';
import { policy } from '../judge/looks.js';
import { type StubPrometheus, stubPrometheus, vector } from '../metrics/prometheus/stub.js';
import { request } from '../replay/recordings.js';

const T = 1_790_000_000;
const WRITTEN = { windowSeconds: 60, intervalSeconds: 5, targets: { max_error_rate: 0.02 } };
const given = { written: WRITTEN, where: 'slo.json' };
const clock = new FakeClock((T + 3600) * 1000);

describe('a replay of a time that was never watched', () => {
  let stub: StubPrometheus;
  beforeEach(async () => {
    stub = await stubPrometheus();
    stub.answer = (query) => (query === 'vector(1)' ? vector('1') : undefined);
  });
  afterEach(() => stub.close());

  /** Counters of one gate with so many failures in 1,000 requests, a sample every `every` seconds. */
  function serve(gate: string, failures: number, every = 5, until = 600): void {
    for (const [name, rate] of [
      ['model_requests_total', 100],
      ['model_errors_total', failures / 10],
    ] as const) {
      const values: [number, string][] = [];
      for (let s = -300; s <= until; s += every) values.push([T + s, String(Math.round((s + 300) * rate))]);
      stub.series.push({ metric: { __name__: name, gate }, values });
    }
  }

  const selection = (more: Partial<PastSelection> = {}): PastSelection => ({
    config: {
      url: stub.url,
      arms: BY_GATE,
      signals: { ...DEFAULT_SIGNALS, drift: null, inflight: null },
      queries: {},
      timeoutMs: 1000,
      staleSeconds: 60,
    },
    auth: {},
    modelId: 'fraud-v2',
    fromGate: 'stage',
    toGate: 'production',
    from: T * 1000,
    to: null,
    own: null,
    ...more,
  });
  const judged = (more: Partial<PastSelection> = {}, changes: Partial<Parameters<typeof request>[0]> = {}) =>
    replayPrometheus(selection(more), clock, request({ given, ...changes }));

  for (const [failures, outcome] of [
    [5, 'promote'],
    [80, 'rollback'],
  ] as const) {
    it(`is judged as one canary that began then: ${outcome}`, async () => {
      serve('stage', failures);
      serve('production', 5);
      const { result } = await judged();
      const [canary] = result.canaries;
      expect(canary?.counterfactual.outcome).to.equal(outcome);
      expect(canary).to.include({ modelId: 'fraud-v2', fromGate: 'stage', toGate: 'production', startedAt: T * 1000 });
      expect(canary?.original).to.include({ outcome: 'insufficient', lacking: 'no canary ran then' });
      expect([canary?.flips, result.log, canary?.observations.verified]).to.deep.equal([null, null, false]);
      expect(result.read).to.deep.include({ source: 'prometheus', looks: 13, intervalSeconds: 5, spacingSeconds: 5 });
      expect(result.read?.selectors.join()).to.include('model_requests_total');
    });
  }

  it('gives the same bytes every time', async () => {
    serve('stage', 80);
    const [one, two] = [await judged(), await judged()];
    expect(JSON.stringify(one.result)).to.equal(JSON.stringify(two.result));
  });

  it('reads no longer than the policy checks, and says where the range ends before it', async () => {
    serve('stage', 5);
    const long = await judged({ to: (T + 3000) * 1000 });
    expect(long.result.read?.looks).to.equal(13);
    const short = await judged({ to: (T + 30) * 1000 });
    expect(short.result.canaries[0]?.counterfactual).to.include({
      outcome: 'insufficient',
      lacking: 'the window ends 60 s after the start, but the records end after 30 s',
    });
  });

  it('says insufficient where Prometheus holds nothing of what the policy asks for, and what it looked for', async () => {
    const { result } = await judged();
    expect(result.canaries[0]?.counterfactual).to.include({
      outcome: 'insufficient',
      lacking: 'targets.max_error_rate needs error counts, which were never recorded',
    });
    expect(result.read?.notes.join()).to.match(/canary: errors not in this range: absent, no series .*gate="stage"/);
  });

  it('is insufficient under the file itself too where both are compared, and in every cell of a sweep', async () => {
    const { result } = await judged(
      { own: policy({ ...WRITTEN, targets: { max_error_rate: 0.02 } }) },
      { settings: [parseSetting('alpha.rollback=0.05', '--set')], axes: [parseAxis('targets.max_error_rate=0.1,0.2')] },
    );
    const [canary] = result.canaries;
    expect([canary?.original.outcome, canary?.counterfactual.outcome]).to.deep.equal(['insufficient', 'insufficient']);
    expect(result.sweep?.cells.map(({ outcomes }) => outcomes.insufficient)).to.deep.equal([1, 1]);
  });

  it('judges a silence that begins within the range as the silence it was', async () => {
    serve('stage', 5, 5, 20);
    const { result } = await judged({}, { given: { written: { ...WRITTEN, noDataSeconds: 10 }, where: 'p' } });
    expect(result.canaries[0]?.counterfactual.outcome).to.equal('block');
  });

  it('compares a changed policy with the file as it stands', async () => {
    serve('stage', 40);
    const own = policy({ ...WRITTEN, targets: { max_error_rate: 0.02 } });
    const settings = [parseSetting('targets.max_error_rate=0.2', '--set')];
    const [canary] = (await judged({ own }, { settings })).result.canaries;
    expect([canary?.original.outcome, canary?.counterfactual.outcome]).to.deep.equal(['rollback', 'promote']);
    expect(canary?.flips).to.equal(true);
  });

  it('looks on to the longest window of a sweep', async () => {
    serve('stage', 5);
    const axes = [parseAxis('windowSeconds=60,120')];
    const { result } = await judged({ own: policy(WRITTEN) }, { axes });
    expect(result.sweep?.cells.map(({ outcomes }) => outcomes.promote)).to.deep.equal([1, 1]);
  });

  it('says that samples are further apart than checks', async () => {
    serve('stage', 80, 15);
    const { result } = await judged();
    expect(result.read?.notes).to.include(
      'samples are 15 s apart, checks 5 s: a check between two samples finds nothing newer',
    );
    expect(result.canaries[0]?.counterfactual.outcome).to.equal('rollback');
  });

  it('refuses a time that has not come', async () => {
    const future = { from: (T + 7200) * 1000 };
    const error = (await judged(future).catch((e: unknown) => e)) as LukhasError;
    expect([error.code, error.message]).to.deep.equal([
      'USAGE',
      '--from 2026-09-21T16:13:20.000Z: must not be in the future.',
    ]);
  });
});

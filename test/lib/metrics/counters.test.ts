import { expect } from 'chai';
import fc from 'fast-check';
import type { ArmReading, Histogram } from '../../../src/lib/judge/observation.js';
import {
  type ArmCursor,
  armReading,
  type MetricNames,
  namesOf,
  type Series,
} from '../../../src/lib/metrics/counters.js';
import { DEFAULT_SIGNALS, parseSignals } from '../../../src/lib/metrics/signals/index.js';

const NAMES: MetricNames = { ...namesOf(parseSignals(DEFAULT_SIGNALS)), score: null, inflight: null };

/** Looks one after the other, 10 s apart; the cursor goes through JSON as it does through the store. */
function looks(all: Series[][], names = NAMES, staleAfter?: number) {
  let cursor: ArmCursor | null = null;
  return all.map((series, i) => {
    const at = 100_000 + i * 10_000;
    const stale = staleAfter === undefined ? {} : { staleBefore: at - staleAfter };
    const result = armReading({ series, at, ...stale }, cursor, names);
    cursor = JSON.parse(JSON.stringify(result.cursor)) as ArmCursor;
    return result;
  });
}
const last = <T>(all: T[]): T => all.at(-1)!;

const sample = (name: string, value: number, labels: Record<string, string> = {}, t?: number): Series =>
  t === undefined ? { name, labels, value } : { name, labels, value, t };
const requests = (value: number, labels = {}, t?: number) => sample('model_requests_total', value, labels, t);
const errors = (value: number, labels = {}, t?: number) => sample('model_errors_total', value, labels, t);
/** Classic histogram from cumulative totals by bound. */
const latency = (totals: Record<string, number>, labels: Record<string, string> = {}): Series[] =>
  Object.entries(totals).map(([le, value]) => sample('model_latency_bucket', value, { ...labels, le }));

describe('armReading: errors', () => {
  it('sets the starting point at the first look, then gives increments', () => {
    const [first, second] = looks([
      [requests(1000), errors(10)],
      [requests(1100), errors(13)],
    ]);
    expect(first!.reading.errors).to.deep.equal({ state: 'first' });
    expect(second!.reading.errors).to.deep.equal({ state: 'ok', bad: 3, total: 100 });
    expect(second!.reading).not.to.have.property('resets');
  });

  it('differences each pod by itself: one that restarts is not hidden by one that counts on', () => {
    const pod = (a: number, b: number) => [requests(a, { pod: 'a' }), requests(b, { pod: 'b' }), errors(0)];
    const { reading } = last(looks([pod(500, 100), pod(7, 190)]));
    expect(reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 97 });
    expect(reading.resets).to.equal(1);
  });

  it('counts a child that appears from zero, and nothing for one that vanished until it returns', () => {
    const all = looks([
      [requests(500, { pod: 'a' }), errors(0)],
      [requests(510, { pod: 'a' }), requests(40, { pod: 'b' }), errors(0)],
      [requests(45, { pod: 'b' }), errors(0)],
      [requests(530, { pod: 'a' }), requests(50, { pod: 'b' }), errors(0)],
    ]);
    expect(all.slice(1).map(({ reading }) => reading.errors)).to.deep.equal([
      { state: 'ok', bad: 0, total: 50 },
      { state: 'ok', bad: 0, total: 5 },
      { state: 'ok', bad: 0, total: 25 },
    ]);
  });

  it('sums fractional counters', () => {
    const { reading } = last(
      looks([
        [requests(0.5), errors(0.25)],
        [requests(3), errors(0.5)],
      ]),
    );
    expect(reading.errors).to.deep.equal({ state: 'ok', bad: 0.25, total: 2.5 });
  });

  it('takes no errors series for no data, not for zero, and loses nothing of that span', () => {
    const all = looks([[requests(100)], [requests(200)], [requests(300), errors(2)], [requests(350), errors(2)]]);
    expect(all[1]!.reading.errors).to.deep.equal({ state: 'absent', detail: 'no series model_errors_total' });
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 2, total: 200 });
    expect(all[2]!.notes).to.deep.equal(['errors: counts cover 20 s, since it was last there']);
    expect(all[3]!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 50 });
    expect(all[3]!.notes).to.deep.equal([]);
  });

  it('counts what was in between when a metric was gone and returns', () => {
    const all = looks([[requests(100), errors(1)], [errors(3)], [requests(200), errors(4)]]);
    expect(all[1]!.reading.errors).to.deep.equal({ state: 'absent', detail: 'no series model_requests_total' });
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 3, total: 100 });
  });

  it('does not take the history of an arm that showed nothing at first for an increment', () => {
    const all = looks([[], [requests(5000), errors(50)], [requests(5010), errors(51)]]);
    expect(all.map(({ reading }) => reading.errors!.state)).to.deep.equal(['absent', 'first', 'ok']);
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 1, total: 10 });
  });

  it('says which sample is no count, and goes on from the last good one', () => {
    const all = looks([
      [requests(100), errors(1)],
      [requests(Number.NaN), errors(2)],
      [requests(-1), errors(2)],
      [requests(150, {}), requests(151, {}), errors(2)],
      [requests(160), errors(3)],
    ]);
    expect(all.slice(1, 4).map(({ reading }) => reading.errors)).to.deep.equal([
      { state: 'invalid', detail: 'model_requests_total{} is NaN' },
      { state: 'invalid', detail: 'model_requests_total{} is -1' },
      { state: 'invalid', detail: 'model_requests_total{} is given twice' },
    ]);
    expect(all[4]!.reading.errors).to.deep.equal({ state: 'ok', bad: 2, total: 60 });
  });

  it('sets no starting point by an invalid first look', () => {
    const all = looks([
      [requests(Number.NaN), errors(7)],
      [requests(900), errors(8)],
      [requests(910), errors(8)],
    ]);
    expect(all[1]!.reading.errors).to.deep.equal({ state: 'first' });
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 10 });
  });

  it('tells errors from requests by label patterns, which must match the whole value', () => {
    const names: MetricNames = {
      ...NAMES,
      requests: 'http_total',
      requestLabels: { path: '/predict', probe: '' },
      errors: 'http_total',
      errorLabels: { path: '/predict', status: '/5../' },
    };
    const http = (status: string, value: number, path = '/predict', more = {}) =>
      sample('http_total', value, { status, path, ...more });
    const look = (n: number) => [
      http('200', 10 * n),
      http('500', 2 * n),
      http('5000', 3 * n),
      http('503', 1 * n, '/health'),
      http('200', 7 * n, '/predict', { probe: 'yes' }),
    ];
    expect(last(looks([look(1), look(2)], names)).reading.errors).to.deep.equal({ state: 'ok', bad: 2, total: 15 });
    const unfailed = looks([[http('200', 1)], [http('200', 2)]], { ...names, errorsAbsent: 'zero' });
    expect(last(unfailed).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 1 });
  });

  it('takes a missing failing child of the requests counter for no failure only when told so and all have the label', () => {
    const errorLabels = { status: '/5../' };
    const names: MetricNames = { ...NAMES, errors: NAMES.requests, errorLabels, errorsAbsent: 'zero' };
    const [, healthy, failing] = looks(
      [
        [requests(100, { status: '200' })],
        [requests(150, { status: '200' })],
        [requests(190, { status: '200' }), requests(10, { status: '503' })],
      ],
      names,
    );
    expect(healthy!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 50 });
    expect(failing!.reading.errors).to.deep.equal({ state: 'ok', bad: 10, total: 50 });
    const unlabelled = last(looks([[requests(100)], [requests(150)]], names));
    expect(unlabelled.reading.errors).to.include({ state: 'absent' });
  });

  describe('with errorLabels that no series has', () => {
    const names: MetricNames = { ...NAMES, errors: NAMES.requests, errorLabels: { status: '5xx' } };
    const hint = 'if that only means that nothing has failed yet, set metrics.errorsAbsent: zero';
    const byStatus = (...all: string[]) => all.map((status) => requests(100, { status }));
    const detailOf = (series: Series[], more: Partial<MetricNames> = {}) =>
      last(looks([series, series], { ...names, ...more })).reading.errors;

    it('has no data, and shows the values seen', () => {
      const detail = `no series model_requests_total{status="5xx"} (status seen: 200, 500, 503); ${hint}`;
      expect(detailOf(byStatus('503', '200', '500'))).to.deep.equal({ state: 'absent', detail });
      // As recorded before the key existed.
      const { errorsAbsent: _, ...before } = names;
      const recorded = looks([byStatus('503', '200', '500')], before as MetricNames);
      expect(last(recorded).reading.errors).to.deep.equal({ state: 'absent', detail });
    });

    it('shows no more than eight values', () => {
      const { detail } = detailOf(byStatus(...'abcdefghi')) as { detail: string };
      expect(detail).to.contain('(status seen: a, b, c, d, e, f, g, h, ...);');
    });

    it('gives no hint where zero would not help', () => {
      const detail = 'no series model_requests_total{status="5xx"} (status seen: none)';
      for (const errorsAbsent of ['zero', 'no_data'] as const) {
        expect(detailOf([requests(1)], { errorsAbsent })).to.deep.equal({ state: 'absent', detail });
      }
      const own = detailOf([requests(1), errors(1, { kind: 'b' })], {
        errors: 'model_errors_total',
        errorLabels: { kind: 'a' },
        errorsAbsent: 'zero',
      });
      expect(own).to.deep.equal({
        state: 'absent',
        detail: 'no series model_errors_total{kind="a"} (kind seen: b)',
      });
    });

    it('loses no failure of the time without data', () => {
      const errorLabels = { status: '500' };
      const ok = (value: number) => requests(value, { status: '200' });
      const all = looks([[ok(10)], [ok(20)], [ok(30), requests(4, { status: '500' })]], { ...names, errorLabels });
      expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 4, total: 24 });
    });
  });

  it('takes a sample too large to be counted exactly for invalid, in counters, histograms and gauges', () => {
    const { reading, notes } = last(
      looks([[requests(1e308), errors(0), ...latency({ '1': 1, '+Inf': 1e308 }), sample('g', 1e308)]], {
        ...NAMES,
        inflight: 'g',
      }),
    );
    const detail = 'model_requests_total{} is 1e+308, too large for a count';
    expect(reading.errors).to.deep.equal({ state: 'invalid', detail });
    expect(reading.latency).to.include({ state: 'invalid' });
    expect(reading).not.to.have.property('inflight');
    expect(notes).to.deep.equal(['g is 1e+308, too large for a count: left out']);
    const most = looks([
      [requests(0), errors(0)],
      [requests(Number.MAX_SAFE_INTEGER), errors(0)],
    ]);
    expect(last(most).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: Number.MAX_SAFE_INTEGER });
  });

  it('refuses a label pattern that does not compile', () => {
    expect(() => looks([[requests(1)]], { ...NAMES, errorLabels: { code: '/5(/' } })).to.throw(
      'label code: /5(/ is not a regular expression',
    );
  });

  it('gives an error that is counted before its request to the next look', () => {
    const all = looks([
      [requests(100), errors(0)],
      [requests(101), errors(3)],
      [requests(110), errors(3)],
    ]);
    expect(all[1]!.reading.errors).to.deep.equal({ state: 'ok', bad: 1, total: 1 });
    expect(all[1]!.notes[0]).to.match(/3 errors in 1 requests/);
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 2, total: 9 });
  });

  it('is unchanged while the samples carry the same timestamps', () => {
    const at = (t: number, n: number) => [requests(n, {}, t), errors(0, {}, t)];
    const all = looks([at(90_000, 100), at(105_000, 120), at(105_000, 120), at(120_000, 150)]);
    expect(all.map(({ reading }) => reading.errors)).to.deep.equal([
      { state: 'first' },
      { state: 'ok', bad: 0, total: 20 },
      { state: 'unchanged' },
      { state: 'ok', bad: 0, total: 30 },
    ]);
    expect(all[3]!.notes).to.deep.equal([]);
  });

  it('is stale when all samples are too old, and counts on when they are not any more', () => {
    const look = (n: number, t: number, idle: number) => [
      requests(n, { pod: 'a' }, t),
      requests(5, { pod: 'b' }, idle),
      errors(0, {}, t),
    ];
    const all = looks([look(100, 99_000, 1000), look(110, 50_000, 1000), look(130, 119_000, 1000)], NAMES, 30_000);
    expect(all[1]!.reading.errors).to.deep.equal({
      state: 'stale',
      detail: 'newest sample of model_requests_total is 60 s old',
    });
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 30 });
  });

  it('adds up, over any growth and a restart of each pod, to what was truly counted', () => {
    const step = fc.record({ pod: fc.constantFrom('a', 'b', 'c'), ok: fc.nat(50), bad: fc.nat(5) });
    const tick = fc.array(step, { maxLength: 5 });
    const restarts = fc.record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(tick, { minLength: 1, maxLength: 8 }), restarts, (ticks, restartAt) => {
        const truth = { total: 0, bad: 0 };
        // So much before that no growth within one tick can hide the one restart.
        const pods = new Map(Object.keys(restartAt).map((pod) => [pod, { total: 1000, bad: 100 }]));
        const expose = () =>
          [...pods].flatMap(([pod, { total, bad }]) => [requests(total, { pod }), errors(bad, { pod })]);
        const exposed = [expose()];
        ticks.forEach((steps, i) => {
          for (const [pod, at] of Object.entries(restartAt)) if (at === i) pods.set(pod, { total: 0, bad: 0 });
          for (const { pod, ok, bad } of steps) {
            for (const counts of [pods.get(pod)!, truth]) {
              counts.total += ok + bad;
              counts.bad += bad;
            }
          }
          exposed.push(expose());
        });
        const read = { total: 0, bad: 0 };
        for (const { reading } of looks(exposed).slice(1)) {
          if (reading.errors?.state !== 'ok') throw new Error(`state ${reading.errors?.state}`);
          read.total += reading.errors.total;
          read.bad += reading.errors.bad;
        }
        expect(read).to.deep.equal(truth);
      }),
    );
  });
});

describe('armReading: histograms', () => {
  const read = (all: Series[][], names = NAMES) => last(looks(all, names)).reading.latency;
  const histogram = (bounds: number[], counts: number[]): Histogram => ({ state: 'ok', bounds, counts });

  it('gives increments by bucket, in milliseconds', () => {
    const before = latency({ '0.1': 10, '0.29': 20, '1': 20, '+Inf': 21 });
    const after = latency({ '0.1': 15, '0.29': 29, '1': 30, '+Inf': 33 });
    expect(looks([before])[0]!.reading.latency).to.deep.equal({ state: 'first' });
    expect(read([before, after])).to.deep.equal(histogram([100, 290, 1000], [5, 4, 1, 2]));
    const milliseconds = read([before, after], { ...NAMES, latencyUnit: 'ms' });
    expect(milliseconds).to.deep.equal(histogram([0.1, 0.29, 1], [5, 4, 1, 2]));
  });

  it('reads any spelling of a bound, in any order', () => {
    const totals = (n: number) => latency({ Inf: 4 * n, '1e-1': 2 * n, '5.0': 3 * n });
    expect(read([totals(1), totals(2)])).to.deep.equal(histogram([100, 5000], [2, 1, 1]));
  });

  it('takes a bucket that went backwards for a restart of that whole histogram', () => {
    const all = looks([
      [...latency({ '0.1': 90, '+Inf': 100 }, { pod: 'a' }), ...latency({ '0.1': 5, '+Inf': 5 }, { pod: 'b' })],
      [...latency({ '0.1': 1, '+Inf': 120 }, { pod: 'a' }), ...latency({ '0.1': 6, '+Inf': 7 }, { pod: 'b' })],
    ]);
    expect(last(all).reading.latency).to.deep.equal(histogram([100], [2, 120]));
    expect(last(all).reading.resets).to.equal(1);
  });

  it('takes other bounds for a restart, too', () => {
    const all = looks([latency({ '0.1': 1, '+Inf': 2 }), latency({ '0.2': 3, '+Inf': 5 })]);
    expect(last(all).reading).to.deep.include({ latency: histogram([200], [3, 2]), resets: 1 });
  });

  it('counts a new child from zero, and keeps one that vanished', () => {
    const a = (n: number) => latency({ '1': n, '+Inf': n }, { path: '/a' });
    const b = (n: number) => latency({ '1': 0, '+Inf': n }, { path: '/b' });
    const all = looks([a(10), [...a(11), ...b(3)], b(4), [...a(20), ...b(4)]]);
    expect(all.slice(1).map(({ reading }) => reading.latency)).to.deep.equal([
      histogram([1000], [1, 3]),
      histogram([1000], [0, 1]),
      histogram([1000], [9, 0]),
    ]);
  });

  it('reads series of different bounds at those they share, and says so', () => {
    const look = (n: number) => [
      ...latency({ '0.1': n, '0.5': 2 * n, '1': 3 * n, '+Inf': 4 * n }, { pod: 'a' }),
      ...latency({ '0.5': 10 * n, '0.7': 20 * n, '1': 30 * n, '2': 40 * n, '+Inf': 50 * n }, { pod: 'b' }),
    ];
    const all = looks([look(1), look(2)]);
    expect(last(all).reading.latency).to.deep.equal(histogram([500, 1000], [12, 21, 21]));
    expect(last(all).notes[0]).to.match(/differ in bucket bounds, read at the 2 that all have/);
  });

  it('is invalid when they share none', () => {
    const look = (n: number) => [
      ...latency({ '0.1': n, '+Inf': n }, { pod: 'a' }),
      ...latency({ '0.2': n, '+Inf': n }, { pod: 'b' }),
    ];
    expect(read([look(1), look(2)])).to.deep.include({ state: 'invalid' });
  });

  it('takes _count where there is no +Inf bucket', () => {
    const look = (n: number) => [...latency({ '0.1': n }), sample('model_latency_count', 3 * n)];
    expect(read([look(1), look(5)])).to.deep.equal(histogram([100], [4, 8]));
    expect(read([latency({ '0.1': 1 })])).to.deep.equal({
      state: 'invalid',
      detail: 'model_latency{} has neither a +Inf bucket nor a _count',
    });
  });

  for (const [what, series, detail] of [
    ['NaN', latency({ '0.1': Number.NaN, '+Inf': 1 }), /model_latency_bucket\{le="0\.1"\} is NaN/],
    ['negative', latency({ '0.1': -1, '+Inf': 1 }), /is -1/],
    ['not cumulative', latency({ '0.1': 5, '0.2': 4, '+Inf': 9 }), /5 at or below 100, 4 at or below 200/],
    ['without a finite bound', latency({ '+Inf': 9 }), /no bucket with a finite bound/],
    ['without le', [sample('model_latency_bucket', 1)], /le is not a number/],
    ['bound not a number', latency({ fast: 1, '+Inf': 1 }), /le is not a number/],
    ['twice', [...latency({ '1': 1, '+Inf': 1 }), ...latency({ '1.0': 1 })], /given twice/],
  ] as const) {
    it(`is invalid: ${what}`, () => {
      const signal = read([[...series]]) as { state: string; detail: string };
      expect(signal.state).to.equal('invalid');
      expect(signal.detail).to.match(detail);
    });
  }

  it('says nothing of a span in which the buckets contradict each other, and goes on after it', () => {
    const all = looks([
      latency({ '0.1': 3, '1': 5, '+Inf': 5 }),
      latency({ '0.1': 9, '1': 9, '+Inf': 9 }),
      latency({ '0.1': 10, '1': 11, '+Inf': 11 }),
    ]);
    expect(all[1]!.reading.latency).to.deep.include({ state: 'invalid' });
    expect(all[2]!.reading.latency).to.deep.equal(histogram([100, 1000], [1, 1, 0]));
  });

  it('is absent without series, and counts what was in between when they return', () => {
    const all = looks([latency({ '1': 1, '+Inf': 2 }), [requests(1)], latency({ '1': 4, '+Inf': 9 })]);
    expect(all[1]!.reading.latency).to.deep.equal({ state: 'absent', detail: 'no series model_latency_bucket' });
    expect(all[2]!.reading.latency).to.deep.equal(histogram([1000], [3, 4]));
    expect(all[2]!.notes).to.deep.equal(['latency: counts cover 20 s, since it was last there']);
  });

  it('reads scores as they are, negative bounds too, and leaves them out when not asked for', () => {
    const score = (n: number) =>
      ['-0.5', '0.1', '+Inf'].map((le, i) => sample('model_score_bucket', n * (i + 1), { le }));
    const names = { ...NAMES, score: 'model_score' };
    expect(last(looks([score(1), score(3)], names)).reading.score).to.deep.equal(histogram([-0.5, 0.1], [2, 2, 2]));
    expect(last(looks([score(1), score(3)])).reading).not.to.have.property('score');
  });
});

describe('armReading: inflight', () => {
  const inflight = (...values: number[]): ArmReading => {
    const series = values.map((value, i) => sample('busy', value, { pod: String(i) }));
    return looks([series], { ...NAMES, inflight: 'busy' })[0]!.reading;
  };

  it('is the sum over pods, and left out when it is no number', () => {
    expect(inflight(3, 4).inflight).to.equal(7);
    expect(inflight()).not.to.have.property('inflight');
    expect(inflight(3, Number.NaN)).not.to.have.property('inflight');
  });
});

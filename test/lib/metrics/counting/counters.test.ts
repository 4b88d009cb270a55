import { expect } from 'chai';
import type { ArmReading, Histogram } from '../../../../src/lib/judge/observation.js';
import type { Sample } from '../../../../src/lib/metrics/signals/samples.js';
import type { Signals } from '../../../../src/lib/metrics/signals/signals.js';
import {
  counters,
  errors,
  errorsIn,
  errorsOf,
  histogram as histogramOf,
  last,
  latency,
  looks,
  requests,
  SIGNALS,
  sample,
} from './given.js';

describe('countArm: errors', () => {
  it('sets the starting point at the first look, then gives increments', () => {
    const [first, second] = looks([
      [requests(1000), errors(10)],
      [requests(1100), errors(13)],
    ]);
    expect(first!.reading.errors).to.deep.equal({ state: 'first' });
    expect(second!.reading.errors).to.deep.equal({ state: 'ok', bad: 3, total: 100 });
    expect(second!.reading).not.to.have.property('resets');
  });

  it('takes fractions that were added up in another order for the same, and a fall of whole numbers for a fall', () => {
    const fractions = (total: number, slow = total) => [
      requests(total),
      errors(0.1),
      ...latency({ '0.05': slow, '+Inf': total }),
    ];
    const all = looks([fractions(1000.3), fractions(1100.6000000000001), fractions(1100.6), fractions(1200.6)]);
    const totals = errorsIn(all).map((one) => (one?.state === 'ok' ? Math.round(one.total) : one?.state));
    expect(totals).to.deep.equal(['first', 100, 0, 100]);
    expect(all.map(({ reading }) => reading.latency?.state)).to.deep.equal(['first', 'ok', 'ok', 'ok']);
    expect(all[2]!.reading).not.to.have.property('resets');
    const whole = looks([1e12, 1e12 + 100, 1e12 + 99].map((total) => [requests(total), errors(0)]));
    expect(whole[2]!.reading.errors).to.include({ state: 'unstable' });
  });

  it('differences each pod by itself: one that restarts is not hidden by one that counts on', () => {
    const pod = (a: number, b: number) => [requests(a, { pod: 'a' }), requests(b, { pod: 'b' }), errors(0)];
    const all = looks([pod(500, 100), pod(7, 190), pod(17, 200)]);
    expect(errorsIn(all).slice(1)).to.deep.equal([
      { state: 'ok', bad: 0, total: 90 },
      { state: 'ok', bad: 0, total: 27 },
    ]);
    expect(all[1]!.reading).to.include({ resets: 1 });
    expect(all[2]!.reading).to.include({ restarts: 1 });
  });

  it('counts a child that appears from zero, and nothing for one that vanished until it returns', () => {
    const all = looks([
      [requests(500, { path: 'a' }), errors(0)],
      [requests(510, { path: 'a' }), requests(40, { path: 'b' }), errors(0)],
      [requests(45, { path: 'b' }), errors(0)],
      [requests(530, { path: 'a' }), requests(50, { path: 'b' }), errors(0)],
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
    expect(all[1]!.reading.errors).to.include({ state: 'absent' });
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

  it('tells errors from requests by matchers, which must fit the whole value', () => {
    const signals: Signals = {
      ...SIGNALS,
      requests: counters('http_total{path="/predict",probe=""}'),
      errors: errorsOf('http_total{path="/predict",probe="",status=~"5.."}', true),
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
    expect(last(looks([look(1), look(2)], signals)).reading.errors).to.deep.equal({ state: 'ok', bad: 2, total: 15 });
  });

  describe('without a series of failures', () => {
    const among: Signals = { ...SIGNALS, errors: errorsOf('model_requests_total{status=~"5.."}', true) };
    const byStatus = (...all: string[]) => all.map((status) => requests(100, { status }));

    it('counts none where failures are among the requests, and loses none that comes', () => {
      const [, healthy, failing] = looks(
        [
          [requests(100, { status: '200' })],
          [requests(150, { status: '200' })],
          [requests(190, { status: '200' }), requests(10, { status: '503' })],
        ],
        among,
      );
      expect(healthy!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 50 });
      expect(failing!.reading.errors).to.deep.equal({ state: 'ok', bad: 10, total: 50 });
    });

    it('says at the first look which values were seen, no more than eight', () => {
      const all = looks([byStatus('404', '200'), byStatus('404', '200')], among);
      const text = 'model_requests_total{status=~"5.."}';
      expect(all[0]!.notes).to.deep.equal([
        `errors: no series ${text} yet (status seen: 200, 404): counted as no failure`,
      ]);
      expect(all[1]!.notes).to.deep.equal([]);
      expect(looks([byStatus(...'abcdefghi')], among)[0]!.notes[0]).to.contain(
        '(status seen: a, b, c, d, e, f, g, h, ...)',
      );
    });

    it('counts none of another counter where that is said to appear with the first failure', () => {
      const signals: Signals = { ...SIGNALS, errors: errorsOf('model_errors_total', false, 'zero') };
      const all = looks([[requests(100)], [requests(150)], [requests(200), errors(7)]], signals);
      expect(errorsIn(all).slice(1)).to.deep.equal([
        { state: 'ok', bad: 0, total: 50 },
        { state: 'ok', bad: 7, total: 50 },
      ]);
      expect(last(looks([[], []], signals)).reading.errors).to.include({ state: 'absent' });
    });

    it('has no data of another counter, and says what may be missing', () => {
      const { errors: found } = last(looks([[requests(1)], [requests(2)]])).reading;
      const hint = '; if it appears with the first failure, set absent: zero for errors';
      expect(found).to.deep.equal({ state: 'absent', detail: `no series model_errors_total${hint}` });
    });
  });

  it('takes a sample too large to be counted exactly for invalid, in counters, histograms and gauges', () => {
    const { reading, notes } = last(
      looks([[requests(1e308), errors(0), ...latency({ '1': 1, '+Inf': 1e308 }), sample('g', 1e308)]], {
        ...SIGNALS,
        inflight: { name: 'g', matchers: [] },
      }),
    );
    const detail = 'model_requests_total{} is 1e+308, too large for a count';
    expect(reading.errors).to.deep.equal({ state: 'invalid', detail });
    expect(reading.latency).to.include({ state: 'invalid' });
    expect(reading).not.to.have.property('inflight');
    expect(notes).to.deep.equal(['g is 1e+308, too large for a count: left out']);
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

  it('is implausible while more fails than is asked, and loses none of it', () => {
    const all = looks([
      [requests(1000), errors(0)],
      [requests(1100), errors(200)],
      [requests(1200), errors(400)],
      [requests(2000), errors(400)],
    ]);
    expect(all[1]!.reading.errors).to.deep.equal({
      state: 'implausible',
      detail: 'model_errors_total rose by 200, model_requests_total by 100: more failures than requests are counted',
    });
    expect(all[2]!.reading.errors).to.include({ state: 'implausible' });
    expect(all[3]!.reading.errors).to.deep.equal({ state: 'ok', bad: 400, total: 1000 });
    expect(all[3]!.notes).to.deep.equal(['errors: counts cover 30 s, since it was last there']);
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
    const all = looks([look(100, 99_000, 1000), look(110, 50_000, 1000), look(130, 119_000, 1000)], SIGNALS, 30_000);
    expect(all[1]!.reading.errors).to.deep.equal({
      state: 'stale',
      detail: 'newest sample of model_requests_total is 60 s old',
    });
    expect(all[2]!.reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 30 });
  });
});

describe('countArm: histograms', () => {
  const read = (all: Sample[][], signals = SIGNALS) => last(looks(all, signals)).reading.latency;
  const histogram = (bounds: number[], counts: number[]): Histogram => ({ state: 'ok', bounds, counts });

  it('gives increments by bucket, in milliseconds', () => {
    const before = latency({ '0.1': 10, '0.29': 20, '1': 20, '+Inf': 21 });
    const after = latency({ '0.1': 15, '0.29': 29, '1': 30, '+Inf': 33 });
    expect(looks([before])[0]!.reading.latency).to.deep.equal({ state: 'first' });
    expect(read([before, after])).to.deep.equal(histogram([100, 290, 1000], [5, 4, 1, 2]));
    const milliseconds = read([before, after], {
      ...SIGNALS,
      histograms: { latency: histogramOf('model_latency', 'ms') },
    });
    expect(milliseconds).to.deep.equal(histogram([0.1, 0.29, 1], [5, 4, 1, 2]));
  });

  it('reads any spelling of a bound, in any order', () => {
    const totals = (n: number) => latency({ Inf: 4 * n, '1e-1': 2 * n, '5.0': 3 * n });
    expect(read([totals(1), totals(2)])).to.deep.equal(histogram([100, 5000], [2, 1, 1]));
  });

  it('takes the same bound in another spelling for the same bucket', () => {
    const spelt = ['0.25', '0.250', '2.5e-1', '.25', '+2.50E-1'];
    const all = looks(spelt.map((le, n) => latency({ [le]: 490 * n, '+Inf': 500 * n })));
    expect(all.slice(1).map(({ reading }) => reading.latency)).to.deep.equal(
      spelt.slice(1).map(() => histogram([250], [490, 10])),
    );
    expect(all.every(({ reading }) => reading.resets === undefined)).to.equal(true);
    const { reading } = last(looks([[...latency({ '0.25': 1, '+Inf': 2 }), ...latency({ '0.250': 1 })]]));
    expect(reading.latency).to.deep.equal({
      state: 'invalid',
      detail: 'model_latency_bucket{le="0.250"} is given twice',
    });
  });

  it('takes a bucket that went backwards for a restart of that whole histogram', () => {
    const all = looks([
      [...latency({ '0.1': 90, '+Inf': 100 }, { pod: 'a' }), ...latency({ '0.1': 5, '+Inf': 5 }, { pod: 'b' })],
      [...latency({ '0.1': 1, '+Inf': 120 }, { pod: 'a' }), ...latency({ '0.1': 6, '+Inf': 7 }, { pod: 'b' })],
      [...latency({ '0.1': 2, '+Inf': 145 }, { pod: 'a' }), ...latency({ '0.1': 6, '+Inf': 7 }, { pod: 'b' })],
    ]);
    expect(all[1]!.reading).to.deep.include({ latency: histogram([100], [1, 1]), resets: 1 });
    expect(all[2]!.reading).to.deep.include({ latency: histogram([100], [2, 143]), restarts: 1 });
  });

  it('takes other bounds for a restart, too', () => {
    const all = looks([
      latency({ '0.1': 1, '+Inf': 2 }),
      latency({ '0.2': 3, '+Inf': 5 }),
      latency({ '0.2': 4, '+Inf': 6 }),
    ]);
    expect(all[1]!.reading).to.deep.include({ resets: 1 });
    expect(last(all).reading).to.deep.include({ latency: histogram([200], [4, 2]), restarts: 1 });
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
    const signals: Signals = { ...SIGNALS, drift: { kind: 'histogram', histogram: histogramOf('model_score', '1') } };
    expect(last(looks([score(1), score(3)], signals)).reading.score).to.deep.equal(histogram([-0.5, 0.1], [2, 2, 2]));
    expect(last(looks([score(1), score(3)])).reading).not.to.have.property('score');
  });

  it('gives any number of histograms by name', () => {
    const histograms = { latency: histogramOf('model_latency'), ttft: histogramOf('first_token{model="m"}') };
    const first = (n: number, model = 'm') =>
      ['0.5', '+Inf'].map((le) => sample('first_token_bucket', n, { le, model }));
    const look = (n: number) => [...latency({ '1': n, '+Inf': n }), ...first(2 * n), ...first(7 * n, 'other')];
    const { reading } = last(looks([look(1), look(3)], { ...SIGNALS, histograms }));
    expect(reading.latency).to.deep.equal(histogram([1000], [2, 0]));
    expect(reading.histograms).to.deep.equal({ ttft: histogram([500], [4, 0]) });
  });
});

describe('countArm: categories', () => {
  it('counts by the value of a label', () => {
    const finished = (reason: string, value: number) => sample('finished_total', value, { reason });
    const signals: Signals = {
      ...SIGNALS,
      drift: { kind: 'categories', counts: { name: 'finished_total', matchers: [] }, by: 'reason' },
    };
    const all = looks(
      [
        [finished('stop', 10), finished('length', 5)],
        [finished('stop', 14), finished('length', 6), finished('abort', 2)],
        [requests(1)],
      ],
      signals,
    );
    expect(all.map(({ reading }) => reading.categories)).to.deep.equal([
      { state: 'first' },
      { state: 'ok', counts: { stop: 4, length: 1, abort: 2 } },
      { state: 'absent', detail: 'no series finished_total' },
    ]);
  });
});

describe('countArm: inflight', () => {
  const inflight = (...values: number[]): ArmReading => {
    const series = values.map((value, i) => sample('busy', value, { pod: String(i) }));
    return looks([series], { ...SIGNALS, inflight: { name: 'busy', matchers: [] } })[0]!.reading;
  };

  it('is the sum over pods, and left out when it is no number', () => {
    expect(inflight(3, 4).inflight).to.equal(7);
    expect(inflight()).not.to.have.property('inflight');
    expect(inflight(3, Number.NaN)).not.to.have.property('inflight');
  });
});

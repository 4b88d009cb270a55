import { expect } from 'chai';
import type { ArmReading } from '../../../../src/lib/judge/observation.js';
import { type ArmCount, type ArmCursor, countArm } from '../../../../src/lib/metrics/counting/index.js';
import type { Sample, Signals } from '../../../../src/lib/metrics/signals/index.js';
import {
  at,
  down,
  errors,
  errorsIn,
  errorsOf,
  last,
  latency,
  looks,
  looksAt,
  ok,
  requests,
  SIGNALS,
  sample,
} from './given.js';

const ERRORS: Signals = { ...SIGNALS, histograms: {} };
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** Pages of one process: requests and errors in a row. */
const pages = (...values: [requests: number, errors?: number][]): Sample[][] =>
  values.map(([all, failed = 0]) => [requests(all), errors(failed)]);
const counted = (all: readonly ArmCount[]): { bad: number; total: number } =>
  errorsIn(all).reduce(
    (sum, found) => (found?.state === 'ok' ? { bad: sum.bad + found.bad, total: sum.total + found.total } : sum),
    { bad: 0, total: 0 },
  );
const states = (all: readonly ArmCount[]): (string | undefined)[] => errorsIn(all).map((found) => found?.state);
const sum = (all: readonly ArmCount[], of: 'resets' | 'restarts'): number =>
  all.reduce((most, { reading }) => most + (reading[of] ?? 0), 0);

describe('countArm: where the clock was set back', () => {
  it('counts what came since the last look, as fast as before', () => {
    for (const startedAt of [undefined, 5]) {
      let cursor: ArmCursor | null = null;
      const totals = [3_600_000, 3_601_000, 3_602_000, 2000, 3000].map((time, i) => {
        const targets = [ok([requests(50_000 + 1000 * i), errors(0)], startedAt)];
        const count: ArmCount = countArm({ targets, at: time }, cursor, { ...SIGNALS, histograms: {} });
        cursor = count.cursor;
        return count.reading.errors;
      });
      expect(totals.slice(1)).to.deep.equal(Array(4).fill({ state: 'ok', bad: 0, total: 1000 }));
    }
  });
});

describe('countArm: a process seen for the first time', () => {
  const pod = (name: string, all: number, failed: number): Sample[] => [
    requests(all, { pod: name }),
    errors(failed, { pod: name }),
  ];

  for (const [mode, from, lifetime, failedOfA] of [
    ['errors', 4, 50_000, 0],
    ['mask', 18, 0, 0.8],
  ] as const) {
    it(`that has run for weeks counts from where it stands (${mode})`, () => {
      const look = (n: number): Sample[] => [
        ...pod('a', 1000 + 20 * n, Math.floor(failedOfA * n)),
        ...(n >= from ? pod('b', 1_000_000 + 20 * n, lifetime) : []),
      ];
      const all = looks(range(21).map(look), ERRORS);
      expect(counted(all)).to.deep.equal({ bad: Math.floor(failedOfA * 20), total: 20 * 20 + 20 * (20 - from) });
      expect(all[from]!.notes).to.deep.equal([
        `{pod="b"} of http://a/metrics is new here, and when it began is not known: what it counted so far (model_requests_total{pod="b"} ${1_000_000 + 20 * from}) is left out`,
      ]);
      expect(all[from]!.unseen.map(({ reason }) => reason)).to.deep.equal(['first seen']);
    });
  }

  it('and whose label does not say that it is a process counts from where it stands', () => {
    const shard = (name: string, all: number, failed: number) => [
      requests(all, { shard: name }),
      errors(failed, { shard: name }),
    ];
    const look = (n: number) => [
      ...shard('a', 1000 + 20 * n, 0),
      ...(n >= 3 ? shard('b', 1_000_000 + 20 * n, 90) : []),
    ];
    const all = looks(range(6).map(look), ERRORS);
    expect(counted(all)).to.deep.equal({ bad: 0, total: 5 * 20 + 2 * 20 });
    expect(all[3]!.notes[0]).to.match(/model_requests_total\{shard="b"\} is new and stands at 1000060, too much/);
  });

  it('counts from zero where it began within the run', () => {
    const fresh = [...pod('b', 30, 3), sample('process_start_time_seconds', (at(1) + 2000) / 1000, { pod: 'b' })];
    const all = looks([pod('a', 1000, 0), pod('a', 1020, 0), [...pod('a', 1040, 0), ...fresh]], ERRORS);
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 3, total: 50 });
    const old = [...pod('b', 30, 3), sample('process_start_time_seconds', (at(0) - 2000) / 1000, { pod: 'b' })];
    const other = looks([pod('a', 1000, 0), pod('a', 1020, 0), [...pod('a', 1040, 0), ...old]], ERRORS);
    expect(last(other).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 20 });
  });

  it('counts from zero where its series were made within the run', () => {
    const made = (created: number) => pod('b', 30, 3).map((one) => ({ ...one, created }));
    const find = (created: number) =>
      last(looks([pod('a', 1000, 0), [...pod('a', 1020, 0), ...made(created)]], ERRORS)).reading.errors;
    expect(find(at(0) + 1000)).to.deep.equal({ state: 'ok', bad: 3, total: 50 });
    expect(find(at(0) - 1000)).to.deep.equal({ state: 'ok', bad: 0, total: 20 });
  });

  it('does not count a start that lies in the future', () => {
    const ahead = [
      ...pod('b', 9000, 3),
      sample('process_start_time_seconds', (at(9) + 3_600_000) / 1000, { pod: 'b' }),
    ];
    const all = looks([pod('a', 1000, 0), [...pod('a', 1020, 0), ...ahead]], ERRORS);
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 20 });
  });

  it('on another page counts from where it stands, and from then on', () => {
    const page = (id: string, n: number) => ok([requests(n), errors(n / 10)], undefined, id);
    const all = looksAt(
      [[page('a', 1000)], [page('a', 1100), page('b', 5000)], [page('a', 1200), page('b', 5050)]],
      ERRORS,
    );
    expect(errorsIn(all).slice(1)).to.deep.equal([
      { state: 'ok', bad: 10, total: 100 },
      { state: 'ok', bad: 15, total: 150 },
    ]);
  });
});

describe('countArm: a fall', () => {
  const started = (start: number, all: number, failed = 0) => [ok([requests(all), errors(failed)], start)];

  it('with a start that changed is a restart: counts from zero, at once', () => {
    const all = looksAt([started(5, 1000), started(5, 1100), started(at(1) + 3000, 40, 2)], ERRORS);
    expect(last(all).reading).to.deep.include({ errors: { state: 'ok', bad: 2, total: 40 }, resets: 1, restarts: 1 });
    expect(last(all).unseen).to.deep.equal([
      { process: 'http://a/metrics', from: at(1), to: at(2), reason: 'restart' },
    ]);
  });

  it('is not needed for a restart: a start that changed says so', () => {
    const all = looksAt([started(5, 20), started(5, 30), started(at(1) + 3000, 45, 2)], ERRORS);
    expect(last(all).reading).to.deep.include({ errors: { state: 'ok', bad: 2, total: 45 }, resets: 1, restarts: 1 });
  });

  it('with series made anew is a restart', () => {
    const made = (created: number, all: number) => [requests(all), errors(0)].map((one) => ({ ...one, created }));
    const all = looks([made(5, 1000), made(5, 1100), made(at(1) + 3000, 40)], ERRORS);
    expect(last(all).reading).to.deep.include({ errors: { state: 'ok', bad: 0, total: 40 }, resets: 1, restarts: 1 });
  });

  it('with a start that stayed is a dip, of which nothing can be counted', () => {
    const all = looksAt([started(5, 1000), started(5, 1100), started(5, 30), started(5, 130, 4)], ERRORS);
    expect(all[2]!.reading).to.deep.include({
      errors: { state: 'unstable', detail: 'model_requests_total{} fell from 1100 to 30 without a restart' },
      resets: 1,
    });
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 4, total: 100 });
    expect(sum(all, 'restarts')).to.equal(0);
  });

  it('of a start without a fall, where the counters count on, is not believed', () => {
    const all = looksAt([started(5, 100_000), started(5, 100_100), started(at(1) + 3000, 100_200)], ERRORS);
    expect(last(all).reading.errors).to.include({ state: 'unstable' });
  });

  it('of a start without a fall is not believed at the second look either, when no rate is known', () => {
    const all = looksAt([started(5, 100_000, 8000), started(at(0) + 3000, 100_100, 8000)], ERRORS);
    expect(last(all).reading.errors).to.include({ state: 'unstable' });
    const young = looksAt([started(5, 20), started(at(0) + 3000, 45, 2)], ERRORS);
    expect(last(young).reading).to.deep.include({ errors: { state: 'ok', bad: 2, total: 45 }, restarts: 1 });
  });

  it('of all series, that say at each look that they were made just now, never gives a lifetime total', () => {
    const now = (i: number) => [requests(500_000 + 500 * i), errors(40_000)].map((one) => ({ ...one, created: at(i) }));
    const all = looks([now(0), now(1), now(2), now(3)], ERRORS);
    for (const { reading } of all.slice(1)) expect(reading.errors).to.include({ state: 'unstable' });
  });

  it('of one series alone, that says at each look that it was made just now, counts what it rose by', () => {
    const look = (i: number) => [
      { ...requests(500_000 + 500 * i), created: 5 },
      { ...errors(400_000 + i), created: at(i) },
    ];
    expect(last(looks([look(0), look(1), look(2)], ERRORS)).reading.errors).to.deep.equal({
      state: 'ok',
      bad: 1,
      total: 500,
    });
  });

  it('by one of a million is not counted, in both halves of the ratio', () => {
    const look = (n: number): [number, number] => [1_000_000 + 1000 * n - (n >= 3 ? 1001 : 0), 1000 + 28 * n];
    const all = looks(pages(...range(5).map(look)), ERRORS);
    expect(states(all)).to.deep.equal(['first', 'ok', 'ok', 'unstable', 'ok']);
    expect(counted(all)).to.deep.equal({ bad: 84, total: 3000 });
    // Zero, not left out: what is left out is taken from the resets.
    expect(all[3]!.reading).to.include({ resets: 1, restarts: 0 });
    expect(sum(all, 'restarts')).to.equal(0);
  });

  it('that is a restart without a start is one, not two', () => {
    const all = looks(pages([1000, 9], [1100, 10], [40, 2], [150, 3]), ERRORS);
    expect([sum(all, 'resets'), sum(all, 'restarts')]).to.deep.equal([1, 1]);
    expect(all[2]!.reading).to.include({ resets: 1, restarts: 0 });
  });

  it('of one process of several leaves the counts of the others', () => {
    const page = (id: string, n: number) => ok([requests(n), errors(0)], 5, id);
    const all = looksAt(
      [
        [page('a', 1000), page('b', 1000)],
        [page('a', 1100), page('b', 900)],
      ],
      ERRORS,
    );
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 100 });
    expect(last(all).notes).to.deep.equal([
      'errors: b: model_requests_total{} fell from 1000 to 900 without a restart',
    ]);
  });

  it('without a start waits for the next look, and counts as a restart when that confirms it', () => {
    const all = looks(pages([1000, 9], [1100, 10], [40, 2], [150, 3]), ERRORS);
    expect(all[2]!.reading.errors).to.deep.equal({
      state: 'unstable',
      detail: 'model_requests_total{} fell from 1100 to 40: the next check tells whether by a restart',
    });
    expect(all[3]!.reading).to.deep.include({ errors: { state: 'ok', bad: 3, total: 150 }, restarts: 1 });
    expect(all[3]!.notes).to.deep.equal(['errors: counts cover 20 s, since it was last there']);
  });

  it('that comes again and again is a crash loop, and counts well', () => {
    const values = [5000, 5020, 5040, 7, 27, 9, 29, 49, 3, 8, 28];
    const all = looks(pages(...values.map((n): [number] => [n])), ERRORS);
    expect(counted(all).total).to.equal(20 + 20 + 27 + 29 + 20 + 8 + 20);
    expect(sum(all, 'restarts')).to.equal(3);
  });

  it('of a series that comes back after a restart counts what was counted meanwhile once', () => {
    const signals: Signals = { ...ERRORS, errors: errorsOf('model_requests_total{code="500"}', true) };
    const of = (code: string, value: number) => requests(value, { code });
    const slow = (code: string, value: number) => latency({ '1': value, '+Inf': value }, { code });
    // After the restart the first request is a failure; those that succeed have a series again from the second check on.
    const all = looks(
      [
        [of('200', 60), ...slow('200', 60)],
        [of('200', 80), ...slow('200', 80)],
        [of('500', 3), ...slow('500', 3)],
        [of('500', 4), of('200', 15), ...slow('500', 4), ...slow('200', 15)],
        [of('500', 6), of('200', 33), ...slow('500', 6), ...slow('200', 33)],
      ],
      { ...signals, histograms: SIGNALS.histograms },
    );
    expect(counted(all)).to.deep.equal({ bad: 6, total: 20 + 39 });
    const slowCounts = all.flatMap(({ reading }) => (reading.latency?.state === 'ok' ? reading.latency.counts : []));
    expect(slowCounts.reduce((total, count) => total + count, 0)).to.equal(20 + 39);
  });

  it('that nothing confirms as a restart leaves failures that come later new, and they count', () => {
    const signals: Signals = { ...ERRORS, errors: errorsOf('model_requests_total{code="500"}', true) };
    const of = (code: string, value: number) => requests(value, { code });
    // No request between the two checks after the restart: nothing says that what fell counts on.
    const all = looks(
      [
        [of('200', 6000), of('500', 79)],
        [of('200', 900)],
        [of('200', 900)],
        [of('200', 950)],
        [of('200', 990), of('500', 12)],
        [of('200', 1030), of('500', 20)],
      ],
      signals,
    );
    expect(counted(all)).to.deep.equal({ bad: 20, total: 150 });
  });

  it('of a sum whose part comes back is no restart', () => {
    const all = looks(pages([9000], [9100], [9200], [4000], [9400], [9500]), ERRORS);
    expect(states(all).slice(3)).to.deep.equal(['unstable', 'unstable', 'unstable']);
    expect(counted(all).total).to.equal(200);
  });
});

describe('countArm: two processes that answer in turn', () => {
  const turns = [0, 0, 0, 1, 0, 1, 1, 0, 1, 0];

  it('are no data, as long as it lasts', () => {
    for (const [a, b] of [
      [1_000_000, 3000],
      [3000, 1_000_000],
      [5000, 90_000],
    ] as const) {
      const look = (n: number): [number, number] => [(turns[n] ? b : a) + 20 * n, turns[n] ? 900 : 10];
      const all = looks(pages(...turns.map((_, n) => look(n))), ERRORS);
      expect(counted(all), `${a} and ${b}`).to.deep.equal({ bad: 0, total: 40 });
      expect(last(all).reading.errors).to.deep.equal({
        state: 'unstable',
        detail: 'two processes answer in turn at http://a/metrics',
      });
    }
  });

  it('are told by the first fall, where the step to the other could be traffic', () => {
    const long = [...turns, ...turns, ...turns];
    const look = (n: number): [number, number] => [(long[n] ? 5300 : 5000) + 20 * n, long[n] ? 30 : 10];
    const all = looks(pages(...long.map((_, n) => look(n))), ERRORS);
    expect(counted(all)).to.deep.equal({ bad: 20, total: 40 + 320 });
    expect(all.slice(4).every(({ reading }) => reading.errors?.state === 'unstable')).to.equal(true);
  });

  it('are told by the first fall, where the second answers at the second check', () => {
    for (const apart of [300, 3000, 9000]) {
      const look = (n: number): [number, number] => [5_000_000 + (n % 2) * apart + 20 * n, n % 2 ? 30 : 10];
      const all = looks(pages(...range(20).map(look)), ERRORS);
      expect(counted(all), `${apart}`).to.deep.equal({ bad: 20, total: apart + 20 });
    }
  });

  it('are told by their starts, too', () => {
    const all = looksAt(
      turns.map((b, n) => [ok([requests((b ? 500 : 400) + 20 * n), errors(0)], b ? 7000 : 3000)]),
      ERRORS,
    );
    expect(counted(all)).to.deep.equal({ bad: 0, total: 40 });
    expect(all.slice(4).every(({ reading }) => reading.errors?.state === 'unstable')).to.equal(true);
  });

  it('are told by when their series were made', () => {
    const page = (b: number, n: number) =>
      [requests((b ? 500 : 400) + 20 * n), errors(0)].map((one) => ({ ...one, created: b ? 9000 : 3000 }));
    const all = looks(turns.map(page), ERRORS);
    expect(counted(all)).to.deep.equal({ bad: 0, total: 40 });
  });

  it('count again when one alone has answered for some looks', () => {
    const long = [...turns, ...range(10).map(() => 0)];
    const all = looks(pages(...long.map((b, n): [number] => [(b ? 3000 : 900_000) + 20 * n])), ERRORS);
    expect(states(all).slice(-4)).to.deep.equal(['ok', 'ok', 'ok', 'ok']);
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 20 });
  });
});

describe('countArm: more than can be', () => {
  it('is implausible with its numbers, and counts again from there', () => {
    const all = looks(pages([1000], [1020], [1040], [900_000], [900_020]), ERRORS);
    expect(all[3]!.reading.errors).to.deep.equal({
      state: 'implausible',
      detail: 'a counter of http://a/metrics rose by 898960 in 10 s',
    });
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 20 });
  });

  it('is traffic that grew, when it goes on', () => {
    const all = looks(pages([1000], [1020], [1040], [5040], [9040], [13_040]), ERRORS);
    expect(states(all)).to.deep.equal(['first', 'ok', 'ok', 'implausible', 'ok', 'ok']);
  });

  it('is what a histogram and the requests that it counts disagree on', () => {
    const signals: Signals = {
      ...SIGNALS,
      requests: {
        text: 'model_latency_count',
        terms: [{ sign: 1, selector: { name: 'model_latency_count', matchers: [] } }],
      },
      errors: errorsOf('model_errors_total', false, 'zero'),
    };
    const page = (n: number, all: number) => [...latency({ '1': n, '+Inf': n }), sample('model_latency_count', all)];
    const agree = looks([page(100, 100), page(200, 203)], signals);
    expect([agree[1]!.reading.errors?.state, agree[1]!.reading.latency?.state]).to.deep.equal(['ok', 'ok']);
    const { reading } = last(looks([page(100, 100), page(200, 1200)], signals));
    expect(reading.errors).to.deep.equal({
      state: 'implausible',
      detail: 'model_latency_count rose by 1100, the buckets of model_latency by 100: they count the same requests',
    });
    expect(reading.latency).to.include({ state: 'implausible' });
  });
});

describe('countArm: several places', () => {
  const page = (id: string, n: number) => ok([requests(n), errors(0)], 5, id);

  it('wait while they do not answer, and nothing is lost or counted twice', () => {
    const all = looksAt(
      [
        [page('a', 100), page('b', 100)],
        [page('a', 110), down('b')],
        [page('a', 120), down('b')],
        [page('a', 130), page('b', 190)],
        [page('a', 140), page('b', 200)],
      ],
      ERRORS,
    );
    expect(errorsIn(all).slice(1)).to.deep.equal([
      { state: 'ok', bad: 0, total: 10 },
      { state: 'ok', bad: 0, total: 10 },
      { state: 'ok', bad: 0, total: 100 },
      { state: 'ok', bad: 0, total: 20 },
    ]);
    expect(all[2]!.notes).to.deep.equal(['counts of b wait, last read 20 s ago: b does not answer']);
    expect(all.map(({ reading }) => reading.targets?.up)).to.deep.equal([2, 1, 1, 2, 2]);
    expect(all[1]!.reading.targets).to.deep.equal({ expected: 2, up: 1 });
  });

  it('are all missing with what one of them says', () => {
    const all = looksAt([
      [page('a', 1), page('b', 1)],
      [down('a'), down('b')],
    ]);
    const missing = { state: 'unreachable', detail: 'none of 2 answers: a does not answer' };
    expect(last(all).reading).to.deep.equal({ errors: missing, latency: missing, targets: { expected: 2, up: 0 } });
    expect(last(all).cursor).to.deep.equal(all[0]!.cursor);
  });

  it('give a gauge only while they show it', () => {
    const signals: Signals = { ...ERRORS, inflight: { name: 'busy', matchers: [] } };
    const busy = (pod: string, n: number) => sample('busy', n, { pod });
    const inflight = (...all: Sample[][]): ArmReading['inflight'][] =>
      looks(all, signals).map(({ reading }) => reading.inflight);
    expect(inflight([busy('a', 0), busy('b', 24)], [busy('a', 0)], [])).to.deep.equal([24, 0, undefined]);
  });
});

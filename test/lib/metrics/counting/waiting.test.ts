import { expect } from 'chai';
import { why } from '../../../../src/lib/explain/index.js';
import type { RateReport } from '../../../../src/lib/judge/verdict.js';
import type { Signals, Target } from '../../../../src/lib/metrics/signals/index.js';
import {
  at,
  counters,
  errors,
  errorsIn,
  errorsOf,
  last,
  latency,
  looksAt,
  ok,
  requests,
  SIGNALS,
  sample,
} from './given.js';
import { verdictOf } from './verdict-of.js';

const DIFFERENCE: Signals = {
  ...SIGNALS,
  requests: counters('all_total'),
  errors: errorsOf('all_total - good_total'),
  histograms: {},
  inflight: { name: 'busy', matchers: [] },
};

/** Looks at a service that counts requests when they come and good ones when they end. */
const served = (count: number, of: (i: number) => { all: number; good: number; busy: number }) =>
  looksAt(
    Array.from({ length: count }, (_, i): Target[] => {
      const { all, good, busy } = of(i);
      return [ok([sample('all_total', all), sample('good_total', good), sample('busy', busy)])];
    }),
    DIFFERENCE,
  );

describe('requests that are missing in a difference', () => {
  const targets = { max_error_rate: 0.02 };

  it('are no evidence and certify nothing, where each failure leaves a gauge of requests in flight higher', () => {
    const all = served(21, (i) => ({ all: 1000 + 100 * i, good: 1000 + 80 * i, busy: 3 + 20 * i }));
    const { decision, reason, objectives, ...verdict } = verdictOf(all, { targets });
    expect([decision, reason]).to.deep.equal(['block', 'inconclusive']);
    const [o] = objectives as [RateReport];
    expect(o.waiting).to.deep.equal({ bad: 403, total: 480, overturns: true });
    expect(o.bad).to.equal(0);
    expect(o.total).to.be.at.most(1600);
    expect(why({ decision, reason, objectives, ...verdict })).to.match(
      /error_rate is met by what was counted, but 480 further requests could not be counted yet, and 403 of them may be running or have failed/,
    );
    expect(last(all).notes.join()).to.match(/the requests in flight rose by 400 and never fell, while 2000 requests/);
  });

  it('are failures where the gauge falls with them', () => {
    const all = served(21, (i) => ({ all: 1000 + 100 * i, good: 1000 + 80 * i, busy: 3 + (i % 3) }));
    expect(verdictOf(all, { targets })).to.include({ decision: 'rollback', certainty: 'certified' });
  });

  it('are none where they run, however many at once', () => {
    const busy = (i: number) => Math.min(30, 10 * i);
    const all = served(21, (i) => ({ all: 5000 + 500 * i + busy(i), good: 5000 + 500 * i, busy: busy(i) }));
    expect(verdictOf(all, { targets })).to.include({ decision: 'promote', certainty: 'certified' });
    // The gauge may fail to be read.
    const page = (i: number) => [sample('all_total', 500 * i + busy(i)), sample('good_total', 500 * i)];
    const gaps = looksAt(
      Array.from({ length: 21 }, (_, i) => [ok([...page(i), ...(i % 4 === 3 ? [] : [sample('busy', busy(i))])])]),
      DIFFERENCE,
    );
    for (const found of errorsIn(gaps).slice(2)) expect(found).to.deep.include({ state: 'ok', bad: 0 });
  });

  it('may be hidden by those that ran at the start and are good by now', () => {
    // A hundred are being served at the start, and fewer and fewer; five of a hundred fail.
    const busy = (i: number) => Math.max(0, 100 - 5 * i);
    const all = served(21, (i) => ({ all: 1000 + 100 * i, good: 900 + 95 * i - busy(i) + 100, busy: busy(i) }));
    expect(verdictOf(all, { targets })).to.include({ decision: 'block' });
  });
});

describe('a process that nobody knows the rate of', () => {
  /** Fifteen thousand requests in each check of 10 s, of which a share fails. */
  const fast = (failing: number, of = (i: number) => 15_000 * i) =>
    looksAt(
      [0, 1, 2, 3, 4, 5].map((i) => {
        const [all, bad] = [1e6 + of(i), failing * of(i)];
        return [ok([requests(all), errors(bad), ...latency({ '0.25': all - bad, '1': all, '+Inf': all })])];
      }),
    );
  const rules = { windowSeconds: 50, targets: { max_error_rate: 0.02 } };

  it('counts its first rise at the second check, if it goes on as fast', () => {
    const all = fast(0);
    const [, held, both, then] = errorsIn(all);
    expect(held).to.deep.include({ state: 'unchanged' });
    expect(all[1]!.reading.waiting).to.deep.equal({
      errors: { bad: 0, total: 15_000 },
      histograms: { latency: { bounds: [250, 1000], counts: [15_000, 0, 0] } },
    });
    expect(both).to.deep.equal({ state: 'ok', bad: 0, total: 30_000 });
    expect(all[2]!.reading.latency).to.deep.equal({ state: 'ok', bounds: [250, 1000], counts: [30_000, 0, 0] });
    expect(all[2]!.reading).to.not.have.any.keys('waiting', 'leftOut');
    expect(then).to.deep.equal({ state: 'ok', bad: 0, total: 15_000 });
    expect(all.flatMap(({ unseen }) => unseen.slice(0)).map(({ reason }) => reason)).to.deep.equal(['first seen']);
    expect(verdictOf(all, rules)).to.include({ decision: 'promote', certainty: 'certified' });
    expect(verdictOf(fast(0.05), rules)).to.include({ decision: 'rollback', certainty: 'certified' });
  });

  it('goes on waiting while it becomes faster', () => {
    const ramp = [0, 12_000, 60_000, 110_000, 160_000, 210_000];
    const found = errorsIn(fast(0, (i) => ramp[i]!));
    expect(found.map((one) => (one?.state === 'ok' ? one.total : one?.state))).to.deep.equal([
      'first',
      'unchanged',
      'unchanged',
      110_000,
      50_000,
      50_000,
    ]);
  });

  it('never counts the total of another process', () => {
    // Another one answers from the second check on, and serves no more than the first did.
    const other = [0, 900_000, 900_100, 900_200, 900_300, 900_400];
    const all = fast(0.5, (i) => other[i]!);
    const found = errorsIn(all).map((one) => (one?.state === 'ok' ? one.total : one?.state));
    expect(found).to.deep.equal(['first', 'unchanged', 100, 100, 100, 100]);
    expect(all[2]!.reading.leftOut?.errors).to.deep.equal({ bad: 450_000, total: 900_000 });
    expect(all[2]!.unseen).to.deep.equal([
      { process: 'http://a/metrics', from: at(0), to: at(1), reason: 'implausible' },
    ]);
    // Nor where the two answer in turn.
    const turns = errorsIn(fast(0.5, (i) => (i % 2) * 900_000 + 12_000 * i));
    expect(turns.every((one) => one?.state !== 'ok')).to.equal(true);
  });
});

describe('a worker that is seen for the first time beside others', () => {
  const worker = (pid: string, all: number, bad: number) => [requests(all, { pid }), errors(bad, { pid })];
  const signals: Signals = { ...SIGNALS, histograms: {} };
  /** One worker serves; others come, serve a few requests, and are gone at the next check. */
  const crashing = (bad: number, past = 0) =>
    looksAt(
      Array.from({ length: 21 }, (_, i) => [
        ok([...worker('1', 9000 + 50 * i, 0), ...(i === 0 ? [] : worker(`${100 + i}`, past + 20, bad))]),
      ]),
      signals,
    );
  const rules = { targets: { max_error_rate: 0.02 } };

  it('is left out, and nothing is certified that its failures could overturn', () => {
    const all = crashing(15);
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 50 });
    expect(last(all).reading.leftOut).to.deep.equal({ errors: { bad: 15, total: 20 } });
    const verdict = verdictOf(all, rules);
    expect(verdict).to.include({ decision: 'block', reason: 'inconclusive' });
    expect(why(verdict)).to.match(
      /380 requests were left out, as they may be of another process or of an earlier time, and 285 of them failed/,
    );
    expect(verdictOf(crashing(0), rules)).to.include({ decision: 'promote', certainty: 'certified' });
  });

  it('is nothing where it has served for longer than since the last check', () => {
    const all = crashing(15, 5000);
    expect(last(all).reading).to.not.have.property('leftOut');
    expect(verdictOf(all, rules)).to.include({ decision: 'promote', certainty: 'certified' });
  });
});

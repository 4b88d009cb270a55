import { expect } from 'chai';
import fc from 'fast-check';
import type { Sample, Signals } from '../../../../src/lib/metrics/signals/index.js';
import { cases } from '../../../cases.js';
import { counters, errorsIn, errorsOf, last, looks, SIGNALS, sample } from './given.js';

const DIFFERENCE: Signals = {
  ...SIGNALS,
  requests: counters('all_total'),
  errors: errorsOf('all_total - good_total'),
  histograms: {},
};
const page = (all: number, good: number): Sample[] => [sample('all_total', all), sample('good_total', good)];

describe('countArm: sums and differences of counters', () => {
  it('adds several counters up to the requests', () => {
    const signals: Signals = {
      ...SIGNALS,
      requests: counters('ok_total + failed_total'),
      errors: errorsOf('failed_total', true),
      histograms: {},
    };
    const look = (n: number) => [sample('ok_total', 1000 + 10 * n), sample('failed_total', 500 * n)];
    expect(last(looks([look(1), look(2)], signals)).reading.errors).to.deep.equal({
      state: 'ok',
      bad: 500,
      total: 510,
    });
  });

  it('counts all but the good ones as failures, one look later', () => {
    const all = looks(
      [1, 2, 3, 4].map((n) => page(500 * n, 450 * n)),
      DIFFERENCE,
    );
    expect(errorsIn(all).map((found) => found?.state)).to.deep.equal(['first', 'unchanged', 'ok', 'ok']);
    expect(errorsIn(all).slice(2)).to.deep.equal([
      { state: 'ok', bad: 50, total: 500 },
      { state: 'ok', bad: 50, total: 500 },
    ]);
    expect(last(all).notes).to.deep.equal([
      'errors: 50 requests are not counted as good yet; the next check tells whether they failed',
    ]);
  });

  it('counts at once where what is subtracted are series of what it is subtracted from, whatever is being served', () => {
    const signals: Signals = {
      ...DIFFERENCE,
      errors: errorsOf('all_total - all_total{code=~"2.."}'),
      inflight: { name: 'busy', matchers: [] },
    };
    const look = (n: number) => [
      sample('all_total', 450 * n, { code: '200' }),
      sample('all_total', 50 * n, { code: '500' }),
      sample('busy', 50 * n),
    ];
    expect(errorsIn(looks([look(1), look(2), look(3)], signals)).slice(1)).to.deep.equal([
      { state: 'ok', bad: 50, total: 500 },
      { state: 'ok', bad: 50, total: 500 },
    ]);
  });

  it('makes no failure of a request that is being served at a look', () => {
    const all = looks(
      [page(100, 100), page(111, 110), page(120, 120), page(131, 130), page(140, 140), page(150, 150)],
      DIFFERENCE,
    );
    expect(errorsIn(all).slice(2)).to.deep.equal([
      { state: 'ok', bad: 0, total: 11 },
      { state: 'ok', bad: 0, total: 9 },
      { state: 'ok', bad: 0, total: 11 },
      { state: 'ok', bad: 0, total: 9 },
    ]);
  });

  it('makes none of traffic that grows, where a gauge tells how many are being served', () => {
    const signals: Signals = { ...DIFFERENCE, inflight: { name: 'busy', matchers: [] } };
    const busy = [0, 0, 30, 30, 30, 30];
    const all = looks(
      busy.map((n, i) => [...page(100 * i + n, 100 * i), sample('busy', n)]),
      signals,
    );
    expect(
      errorsIn(all)
        .slice(2)
        .every((found) => found?.state === 'ok' && found.bad === 0),
    ).to.equal(true);
  });

  it('is off by no more than comes between the reading of two counters, however many looks there are', () => {
    const look = fc.record({ good: fc.nat(30), failed: fc.nat(4), between: fc.nat(2), goodFirst: fc.boolean() });
    fc.assert(
      fc.property(fc.array(look, { minLength: 2, maxLength: 30 }), (all) => {
        const truth = { total: 0, failed: 0 };
        const pages: Sample[][] = [page(1000, 900)];
        for (const { good, failed, between, goodFirst } of all) {
          truth.total += good + failed;
          truth.failed += failed;
          const before = [truth.total, truth.total - truth.failed] as const;
          truth.total += between;
          const after = [truth.total, truth.total - truth.failed] as const;
          pages.push(page(1000 + (goodFirst ? after : before)[0], 900 + (goodFirst ? before : after)[1]));
        }
        // Nothing more happens, and the last differences settle.
        for (let i = 0; i < 2; i++) pages.push(page(1000 + truth.total, 900 + truth.total - truth.failed));
        const read = { total: 0, failed: 0 };
        for (const found of errorsIn(looks(pages, DIFFERENCE))) {
          if (found?.state !== 'ok') continue;
          read.total += found.total;
          read.failed += found.bad;
        }
        expect(read.total).to.equal(truth.total);
        expect(read.failed).to.be.within(truth.failed - 4, truth.failed + 2);
      }),
      { numRuns: cases(2000) },
    );
  });
});

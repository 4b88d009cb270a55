import { expect } from 'chai';
import type { Sample } from '../../../../src/lib/metrics/signals/samples.js';
import type { Signals } from '../../../../src/lib/metrics/signals/signals.js';
import { counters, errorsIn, errorsOf, looksAt, ok, SIGNALS, sample } from './given.js';

/** 1 in 500 fails; only some pages show what succeeded. */
describe('a page that shows some of the requests alone', () => {
  const among: Signals = {
    ...SIGNALS,
    histograms: {},
    requests: counters('r_total'),
    errors: errorsOf('r_total{code=~"5.."}', true),
  };
  const taken: Signals = { ...among, requests: counters('all_total'), errors: errorsOf('all_total - good_total') };
  const page = (i: number, whole: boolean): Sample[] => [
    sample('r_total', 10_000 + i, { code: '500' }),
    sample('all_total', 1_000_000 + 500 * i),
    ...(whole ? [sample('r_total', 990_000 + 499 * i, { code: '200' }), sample('good_total', 990_000 + 499 * i)] : []),
  ];
  const countsOf = (pages: readonly boolean[], signals: Signals) =>
    errorsIn(
      looksAt(
        pages.map((whole, i) => [ok(page(i, whole))]),
        signals,
      ),
    );
  const sumOf = (found: ReturnType<typeof countsOf>): { bad: number; total: number } => {
    const counted = found.flatMap((one) => (one?.state === 'ok' ? [one] : []));
    return {
      bad: counted.reduce((all, { bad }) => all + bad, 0),
      total: counted.reduce((all, { total }) => all + total, 0),
    };
  };

  it('waits for what is taken off, and loses nothing', () => {
    expect(countsOf([true, true, false, true, true], taken)[2]).to.include({
      state: 'unstable',
      detail: 'good_total{} was there before and is not now: without it, nobody knows how many requests failed',
    });
    expect(sumOf(countsOf([true, true, false, true, true], taken))).to.deep.equal({ bad: 3, total: 1500 });
    expect(countsOf([true, true, false, false, false, false], taken).at(-1)).to.include({ state: 'unstable' });
  });

  it('waits for one of two that leaves it out, though the other shows its own', () => {
    const both = (pages: readonly boolean[]) =>
      errorsIn(
        looksAt(
          pages.map((whole, i) => [
            ok(page(i, true), undefined, 'http://a'),
            ok(page(i, whole), undefined, 'http://b'),
          ]),
          taken,
        ),
      );
    expect(both([true, true, false, false, false])[3]).to.include({ state: 'unstable' });
    for (const one of both([true, true, false, false, false]))
      if (one?.state === 'ok') expect(one.bad, JSON.stringify(one)).to.be.at.most(one.total / 100);
    expect(sumOf(both([true, true, false, true, true]))).to.deep.equal({ bad: 6, total: 3000 });
  });

  it('never makes failures of what succeeded where the starting point lacks some', () => {
    for (const signals of [among, taken]) {
      const found = countsOf([false, true, true, true, true], signals);
      for (const one of found)
        if (one?.state === 'ok') expect(one.bad, JSON.stringify(one)).to.be.at.most(one.total / 100);
      expect(sumOf(found).total, JSON.stringify(found)).to.be.greaterThan(0);
    }
  });
});

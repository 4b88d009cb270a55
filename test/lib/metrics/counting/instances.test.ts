import { expect } from 'chai';
import type { Sample, Signals } from '../../../../src/lib/metrics/signals/index.js';
import { counters, errorsIn, errorsOf, looks, looksAt, ok, SIGNALS, sample } from './given.js';

describe('labels of series', () => {
  const separate: Signals = {
    ...SIGNALS,
    requests: counters('r_total'),
    errors: errorsOf('e_total', false, 'zero'),
    histograms: {},
  };
  const among: Signals = { ...separate, errors: errorsOf('r_total{status="500"}', true) };
  const bad = (all: readonly (readonly Sample[])[], signals: Signals): number[] =>
    errorsIn(looks(all, signals)).flatMap((found) => (found?.state === 'ok' ? found.bad : []));

  for (const label of ['host', 'node', 'worker', 'pod', 'ip', 'code']) {
    it(`count each failure that has a ${label} of its own, where requests have none`, () => {
      const all = [0, 1, 2, 3].map((i) => [
        sample('r_total', 100 + 100 * i),
        ...Array.from({ length: 5 * i }, (_, k) => sample('e_total', 1, { [label]: `v${k}` })),
      ]);
      expect(bad(all, separate)).to.deep.equal([5, 5, 5]);
    });
  }

  it('count the first failures that are without the label of the workers', () => {
    const all = [0, 1, 2, 3].map((i) => [
      ...['1', '2'].map((worker) => sample('r_total', 1000 + 50 * i, { worker })),
      ...(i < 2 ? [] : [sample('e_total', 30)]),
    ]);
    expect(bad(all, separate)).to.deep.equal([0, 30, 0]);
  });

  it('count them once where requests come after the failures, and have fewer labels', () => {
    const all = [0, 1, 2].map((i) => [
      sample('e_total', 60 + i, { worker: 'a' }),
      ...(i < 1 ? [] : [sample('r_total', 10 * i)]),
    ]);
    expect(bad(all, separate)).to.deep.equal([1, 1]);
  });

  for (const label of ['host', 'task', 'node', 'ip']) {
    it(`count requests of a new ${label}, failures or not`, () => {
      const all = [0, 1, 2, 3].map((i) => [
        sample('r_total', 1000 + 50 * i, { [label]: 'a', status: '200' }),
        ...Array.from({ length: i }, (_, k) => sample('r_total', 20, { [label]: `new-${k}`, status: '500' })),
      ]);
      expect(bad(all, among)).to.deep.equal([20, 20, 20]);
    });
  }

  it('tell hosts apart as processes where each says when it began', () => {
    const host = (name: string, total: number, started: number) => [
      sample('r_total', total, { host: name, status: '200' }),
      sample('process_start_time_seconds', started, { host: name }),
    ];
    const all = [0, 1, 2, 3].map((i) => [...host('a', 1000 + 50 * i, 50), ...(i < 2 ? [] : host('old', 200, 60))]);
    const totals = errorsIn(looks(all, among)).map((found) => (found?.state === 'ok' ? found.total : null));
    expect(totals).to.deep.equal([null, 50, 50, 50]);
  });

  it('count a burst of failures that has the first one, as many as there were requests', () => {
    const all = [0, 1, 2, 3, 4].map((i) => [
      sample('r_total', 1000 + 100 * i + (i < 3 ? 0 : 2500)),
      ...(i < 3 ? [] : [sample('e_total', 2500)]),
    ]);
    const started = looksAt(
      all.map((series) => [ok(series, 50_000)]),
      separate,
    );
    expect(errorsIn(started)[3]).to.deep.equal({ state: 'ok', bad: 2500, total: 2600 });
  });

  it('leave out what a pod counted before it came to a page of several', () => {
    const all = [0, 1, 2, 3].map((i) => [
      sample('r_total', 1000 + 50 * i, { pod: 'a', status: '200' }),
      ...(i < 2 ? [] : [sample('r_total', 40, { pod: 'old', status: '500' })]),
    ]);
    expect(bad(all, among)).to.deep.equal([0, 0, 0]);
  });
});

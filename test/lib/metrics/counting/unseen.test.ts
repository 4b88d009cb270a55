import { expect } from 'chai';
import type { Sample, Signals } from '../../../../src/lib/metrics/signals/index.js';
import { at, down, errors, errorsIn, last, looks, looksAt, ok, requests, SIGNALS } from './given.js';

const ERRORS: Signals = { ...SIGNALS, histograms: {} };

describe('countArm: what may have begun anew, without a fall that shows it,', () => {
  const restarted = (process: string, i: number) => [{ process, from: at(i - 1), to: at(i), reason: 'restart' }];

  it('is told of a process that restarted within a second of its start', () => {
    const page = (start: number, all: number) => [ok([requests(all), errors(0)], start)];
    const all = looksAt([page(5, 20), page(at(1) - 100, 1), page(at(1) + 700, 16)], ERRORS);
    expect(last(all).unseen).to.deep.equal(restarted('http://a/metrics', 2));
    expect(last(all).reading.errors).to.deep.equal({ state: 'ok', bad: 0, total: 15 });
  });

  it('is told of series that were made anew, of which one is new and another within a second', () => {
    const made = (created: number, all: number, failed = 0) =>
      [requests(all), errors(failed)].map((one, i) => ({ ...one, created: created + 50 * i }));
    const all = looks([made(5, 20), made(at(1) - 100, 0), made(at(1) + 700, 16, 1)], ERRORS);
    expect(last(all).unseen).to.deep.equal(restarted('http://a/metrics', 2));
    const anew = made(5, 40).map((one, i) => (i === 0 ? { ...one, created: at(1) + 3000 } : one));
    expect(last(looks([made(5, 20), made(5, 30), anew], ERRORS)).unseen).to.deep.equal(
      restarted('http://a/metrics', 2),
    );
  });

  it('is told of a process that nobody read for long, where it could have counted all of it in that time', () => {
    const unread = (counts: readonly number[], start?: number) => {
      const looksOf = counts.map((all) => [ok([requests(all), errors(0)], start)]);
      // Ten looks in between are those of a driver that was dead.
      return last(looksAt([...looksOf.slice(0, -1), ...Array(10).fill([down()]), looksOf.at(-1)!], ERRORS));
    };
    const { unseen, notes } = unread([100, 200, 300, 1300]);
    expect(unseen).to.deep.equal([{ process: 'http://a/metrics', from: at(2), to: at(13), reason: 'restart' }]);
    expect(notes.join()).to.include('http://a/metrics was not read for 110 s and does not say when it began');
    for (const one of [unread([100, 200, 300, 1300], 5), unread([90_000, 90_100, 90_200, 91_300])]) {
      expect(one.unseen).to.deep.equal([]);
      expect(one.notes.join()).not.to.include('was not read');
    }
  });

  it('is told of a pod that comes back with some of its series, until the others are there again', () => {
    const pod = (name: string, ...own: Sample[]) => own.map((one) => ({ ...one, labels: { pod: name } }));
    const a = (n: number) => pod('a', requests(1000 + 20 * n), errors(n));
    const d = (all: number, failed: number) => pod('d', requests(all), errors(failed));
    const all = looks(
      [
        [...a(0), ...d(5, 0)],
        [...a(1), ...d(7, 0)],
        a(2),
        [...a(3), ...pod('d', errors(0))],
        [...a(4), ...d(9, 2)],
        [...a(5), ...d(11, 2)],
      ],
      ERRORS,
    );
    const shown = '{pod="d"} of http://a/metrics';
    expect(all.slice(1).map(({ unseen }) => unseen)).to.deep.equal([
      [],
      [],
      [{ process: shown, from: at(1), to: at(3), reason: 'restart' }],
      restarted(shown, 4),
      [],
    ]);
    // Rather two of nine than the seven that were counted before once more.
    expect(errorsIn(all).slice(4)).to.deep.equal([
      { state: 'ok', bad: 3, total: 22 },
      { state: 'ok', bad: 1, total: 22 },
    ]);
  });
});

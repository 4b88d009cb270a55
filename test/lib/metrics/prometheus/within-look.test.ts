import { expect } from 'chai';
import type { Reading } from '../../../../src/lib/metrics/source.js';
import { Looked, NOTHING } from './given.js';

const PLACE = { job: 'models', instance: '10.0.0.7:80', version: 'v2' };
const OK = { ...PLACE, code: '200' };
const FAILED = { ...PLACE, code: '500' };
const SIGNALS = {
  ...NOTHING,
  requests: 'r_total',
  errors: { count: 'r_total{code="500"}', absent: 'zero' as const },
  histograms: { latency: { histogram: 'took_seconds', unit: 's' as const } },
};

describe('what happens between two looks through Prometheus', () => {
  let looked: Looked;
  beforeEach(async () => {
    looked = await Looked.start();
    looked.open({ signals: SIGNALS });
  });
  afterEach(() => looked.stop());

  const look = async (second: number): Promise<Reading['observation']['canary']> =>
    (await looked.look(looked.last, second)).canary;
  /** Scrapes: `up`, requests that were answered, failures, and latencies up to 0.5 s and of all; undefined: no such series. */
  function scrape(second: number, ok?: number, failed?: number, fast?: number, all = fast): void {
    looked.add('up', PLACE, [second, 1]);
    if (ok !== undefined) looked.add('r_total', OK, [second, ok]);
    if (failed !== undefined) looked.add('r_total', FAILED, [second, failed]);
    if (fast === undefined) return;
    looked.add('took_seconds_bucket', { ...PLACE, le: '0.5' }, [second, fast]);
    looked.add('took_seconds_bucket', { ...PLACE, le: '+Inf' }, [second, all!]);
  }

  it('counts none of the failures of a process that has ended as those of the next one', async () => {
    const start = (second: number, at: number) => looked.add('process_start_time_seconds', PLACE, [second, at]);
    scrape(10, 470_000, 33_000, 503_000);
    start(10, 1_700_000_000);
    await look(12);
    looked.add('up', PLACE, [20, 0]);
    // The new process has not failed yet when it is scraped for the first time.
    scrape(30, 5, undefined, 5);
    start(30, 1_790_000_025);
    scrape(40, 30, 1, 31);
    start(40, 1_790_000_025);
    expect((await look(42)).errors).to.deep.equal({ state: 'ok', bad: 1, total: 31 });
  });

  it('counts once what does not wait, where another signal does', async () => {
    scrape(10, 1000, 50, 1050);
    await look(12);
    scrape(20, 1010, 51, 1061);
    await look(22);
    scrape(30, 1020, 52, 1072);
    // It has begun anew, and has counted no request yet.
    scrape(40, undefined, undefined, 0, 1);
    const { errors } = await look(42);
    expect(errors).to.deep.equal({ state: 'ok', bad: 1, total: 11 });
    scrape(50, 8, undefined, 7, 8);
    const after = await look(52);
    expect(after.errors).to.deep.equal({ state: 'ok', bad: 0, total: 8 });
    // Of the old process 11, which waited until it was known that it has ended, and of the new one 8.
    expect(after.latency).to.deep.include({ state: 'ok', counts: [18, 1] });
  });

  it('keeps what was counted before a fall until it is known what the fall was', async () => {
    scrape(10, 1000, 50, 1050);
    await look(12);
    scrape(20, 1010, 50, 1060);
    await look(22);
    scrape(30, 1020, 50, 1070);
    scrape(40, 3, undefined, 3);
    expect((await look(42)).errors).to.include({ state: 'unstable' });
    scrape(50, 12, undefined, 12);
    expect((await look(52)).errors).to.deep.equal({ state: 'ok', bad: 0, total: 22 });
  });
});

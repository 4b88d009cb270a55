import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openScrape } from '../../../src/lib/metrics/scrape.js';
import { ALL_SERIES } from '../../../src/lib/metrics/signals/index.js';
import type { MetricSource, Reading } from '../../../src/lib/metrics/source.js';
import { BY_VERSION, Looked, NOTHING } from './prometheus/given.js';

const SIGNALS = {
  ...NOTHING,
  requests: 'requests_total',
  errors: { count: 'failed_total', absent: 'no_data' as const },
  histograms: { latency: { histogram: 'latency', unit: 's' as const } },
};
const LEFT_OUT = /counts since the last check are left out/;
const REQUEST = {
  ...{ modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60 },
  ...{ at: 0, scalars: [], withBaseline: false },
};

interface Row {
  canary: Record<string, unknown> & { processes: Record<string, Record<string, unknown>> };
}

/** What may stand in the row of a canary that a driver goes on with; `with` changes the row of the last check. */
const DAMAGED: Record<string, (row: Row) => unknown> = {
  'a text that is no JSON': () => '{"canary',
  'a list': () => [],
  'the form before counters had identities': () => ({ canary: { at: 1, series: {} }, baseline: null }),
  'the form of a version to come': ({ canary }) => ({ canary: { ...canary, v: 2 }, baseline: null }),
  'a counter below zero': ({ canary }) => changed(canary, { series: { 'requests_total{}': -1e9 } }),
  'a counter too large to be exact': ({ canary }) => changed(canary, { series: { 'requests_total{}': 1e300 } }),
  'a rate below zero': ({ canary }) => changed(canary, { rate: -1 }),
  'a time before the epoch': ({ canary }) => changed(canary, { seen: -1e15 }),
  'a histogram that is not cumulative': ({ canary }) =>
    changed(canary, { histograms: { latency: { '{}': { bounds: [0.1], totals: [9, 5] } } } }),
  'a histogram without totals': ({ canary }) =>
    changed(canary, { histograms: { latency: { '{}': { bounds: [0.1], totals: [] } } } }),
};

function changed(canary: Row['canary'], change: Record<string, unknown>): Row {
  const processes = Object.fromEntries(
    Object.entries(canary.processes).map(([id, one]) => [id, { ...one, ...change }]),
  );
  return { canary: { ...canary, processes }, baseline: null } as unknown as Row;
}

describe('counters stored at the last check', () => {
  describe('of metrics pages', () => {
    let server: Server;
    let source: MetricSource;
    let requests = 0;
    let time = 1_790_000_000_000;
    beforeEach(async () => {
      requests = 500;
      server = createServer((_, response) => {
        const buckets = ['0.1', '+Inf'].map((le) => `latency_bucket{le="${le}"} ${requests}`);
        response.end(`requests_total ${requests}\nfailed_total 5\n${buckets.join('\n')}\nlatency_count ${requests}\n`);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
      const config = { canaryUrls: [url], baselineUrls: null, arms: ALL_SERIES, signals: SIGNALS, timeoutMs: 1000 };
      source = openScrape(config, {}, () => time);
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    async function look(cursor: unknown): Promise<Reading> {
      time += 1000;
      requests += 100;
      return source.read({ ...REQUEST, cursor });
    }
    const stored = ({ cursor }: Reading) => JSON.parse(JSON.stringify(cursor)) as Row;

    it('are counted on from', async () => {
      const third = await look(stored(await look(stored(await look(null)))));
      expect(third.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 100 });
      expect(third.observation.notes).to.equal(undefined);
    });

    for (const [what, damage] of Object.entries(DAMAGED))
      it(`that are ${what} make the next check a starting point, and a note says so`, async () => {
        const second = await look(stored(await look(null)));
        const third = await look(damage(stored(second)));
        expect(third.observation.canary.errors).to.include({ state: 'first' });
        expect(third.observation.notes?.join()).to.match(LEFT_OUT);
        const fourth = await look(stored(third));
        expect(fourth.observation.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 100 });
        expect(fourth.observation.notes).to.equal(undefined);
      });
  });

  describe('of Prometheus', () => {
    let looked: Looked;
    beforeEach(async () => {
      looked = await Looked.start();
    });
    afterEach(() => looked.stop());

    for (const [what, damage] of Object.entries(DAMAGED))
      it(`that are ${what} make the next check a starting point, and a note says so`, async () => {
        const source = looked.open({ arms: BY_VERSION, signals: SIGNALS });
        let requests = 500;
        const serve = (second: number): void => {
          const place = { job: 'a', instance: 'b', version: 'v2' };
          requests += 100;
          looked.add('requests_total', place, [second, requests]);
          looked.add('failed_total', place, [second, 5]);
          for (const le of ['0.1', '+Inf']) looked.add('latency_bucket', { ...place, le }, [second, requests]);
        };
        serve(1);
        await looked.look(source, 1);
        serve(11);
        expect((await looked.look(source, 11)).canary.errors).to.include({ state: 'ok', total: 100 });
        looked.change((row) => {
          const { at, canary } = row as { at: number; canary: { counters: Row['canary'] } };
          const damaged = damage({ canary: canary.counters }) as Row;
          return typeof damaged === 'object' && 'canary' in damaged
            ? { at, canary: { ...canary, counters: damaged.canary }, baseline: null }
            : damaged;
        });
        serve(21);
        const third = await looked.look(source, 21);
        expect(third.canary.errors).to.include({ state: 'first' });
        expect(third.notes?.join()).to.match(LEFT_OUT);
        serve(31);
        const fourth = await looked.look(source, 31);
        expect(fourth.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 100 });
        expect(fourth.notes).to.equal(undefined);
      });
  });
});

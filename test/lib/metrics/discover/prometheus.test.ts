import { expect } from 'chai';
import {
  judgedSeries,
  prometheusFacts,
  prometheusServices,
  propose,
  scrapeSeconds,
} from '../../../../src/lib/metrics/discover/index.js';
import { type StubPrometheus, stubPrometheus, success } from '../prometheus/stub.js';

const NOW = 1_767_225_600;
const TARGET = { job: 'orders', instance: '10.0.0.1:3000' };
const REQUESTS = 'http_request_duration_seconds_count';

describe('what a Prometheus holds of a service', () => {
  let stub: StubPrometheus;
  beforeEach(async () => {
    stub = await stubPrometheus();
    stub.now = NOW;
  });
  afterEach(() => stub.close());

  /** A service with 20 requests a second, scraped so many times, `every` seconds, the last time just now. */
  const scraped = (times: number, every: number, missed: readonly number[] = []) => {
    const at = Array.from({ length: times }, (_, i) => NOW - (times - 1 - i) * every).filter(
      (_, i) => !missed.includes(i),
    );
    stub.series = [
      { metric: { __name__: 'up', ...TARGET }, values: at.map((t) => [t, '1']) },
      {
        metric: { __name__: REQUESTS, ...TARGET },
        values: at.map((t) => [t, String(20 * (t - (NOW - 1000)))]),
      },
    ];
    stub.answer = (query) => {
      if (query.startsWith('count by'))
        return success('vector', [{ metric: { __name__: REQUESTS, job: TARGET.job }, value: [NOW, '1'] }]);
      return undefined;
    };
    // At each step the newest sample until then.
    stub.range = (parameters) => {
      const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(parameters.get(name))) as number[];
      const { metric, values } = stub.series[1]!;
      const steps: [number, string][] = [];
      for (let t = start!; t <= end!; t += step!) {
        const last = values.filter(([time]) => time <= t).at(-1);
        if (last !== undefined) steps.push([t, last[1]]);
      }
      return success('matrix', steps.length === 0 ? [] : [{ metric, values: steps }]);
    };
  };
  const input = (selector: string | null = null) => ({
    url: stub.url,
    auth: {},
    selector,
    timeoutMs: 5000,
    now: () => NOW * 1000,
  });
  const facts = async () => {
    const [service] = await prometheusServices(input());
    const found = await prometheusFacts(input(), service!);
    return { ...found, scrapeSeconds: await scrapeSeconds(input(), judgedSeries(found, propose(found))) };
  };

  it('tells the traffic and the scrape interval of a service that it has scraped for a few seconds', async () => {
    scraped(4, 5);
    const { series, seconds, scrapeSeconds } = await facts();
    expect(scrapeSeconds).to.equal(5);
    expect(seconds).to.equal(15);
    expect(series.map(({ perSecond }) => perSecond)).to.deep.equal([20]);
  });

  it('tells them of one that it has scraped for longer, with scrapes that were missed', async () => {
    scraped(15, 10, [3, 4, 9]);
    const { series, seconds, scrapeSeconds } = await facts();
    expect(scrapeSeconds).to.equal(10);
    expect(seconds).to.equal(135);
    expect(series[0]!.perSecond).to.be.closeTo(20, 2);
  });

  it('knows neither after a single scrape', async () => {
    scraped(1, 5);
    const { series, seconds, scrapeSeconds } = await facts();
    expect([seconds, scrapeSeconds]).to.deep.equal([null, null]);
    expect(series.map(({ perSecond }) => perSecond)).to.deep.equal([null]);
  });

  describe('scraped in several ways', () => {
    const of = (job: string, instance: string, every: number, version = 'v1') => ({
      metric: { __name__: REQUESTS, job, instance, version },
      values: Array.from({ length: Math.floor(300 / every) + 1 }, (_, i): [number, string] => [
        NOW - 300 + i * every,
        String(i * every * 20),
      ]),
    });
    const judged = (series: StubPrometheus['series']) =>
      series.map(({ metric: { __name__: name, ...labels } }) => ({
        page: 0,
        name: name!,
        labels: labels as Record<string, string>,
        value: 1,
        perSecond: 1,
      }));

    it('takes the interval of the series that are judged, not that of others', async () => {
      const own = [of('orders', 'a:1', 30), of('orders', 'b:1', 30, 'v2')];
      stub.series = [of('fast', 'c:1', 1), ...own];
      expect(await scrapeSeconds(input(), judged(own))).to.equal(30);
    });

    it('takes the longer one of two versions that are scraped as two jobs', async () => {
      stub.series = [of('orders', 'a:1', 5), of('orders-canary', 'b:1', 15, 'v2')];
      expect(await scrapeSeconds(input(), judged(stub.series))).to.equal(15);
    });
  });

  describe('that holds no service', () => {
    const refusal = async (up: [string, string][], selector: string | null = null) => {
      stub.answer = (query) =>
        query.startsWith('up')
          ? success(
              'vector',
              up.map(([instance, value]) => ({ metric: { job: 'orders', instance }, value: [NOW, value] })),
            )
          : success('vector', [{ metric: { __name__: 'up', job: 'orders' }, value: [NOW, '2'] }]);
      return prometheusServices(input(selector)).then(
        () => [],
        ({ message, suggestions }: { message: string; suggestions: string[] }) => [message, ...suggestions],
      );
    };

    it('names the targets that are down', async () => {
      expect(await refusal([['10.0.0.1:1', '0']], '{job="orders"}')).to.deep.equal([
        'Prometheus, as {job="orders"}, holds nothing that counts requests (1 name seen)',
        'Not answering when Prometheus scrapes: orders 10.0.0.1:1. Is the service running?',
      ]);
      expect(stub.queries.at(-1)).to.equal('up{job="orders"}');
    });

    it('says whether anything is scraped at all', async () => {
      expect((await refusal([]))[1]).to.match(/Is the service scraped\?/);
      expect((await refusal([['10.0.0.1:1', '1']]))[1]).to.match(/scraped, but has no counter of requests/);
    });
  });

  it('reads a service of thousands of names in several queries of bounded length', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `orders_part_${i}_requests_total`);
    stub.answer = () =>
      success(
        'vector',
        names.map((name) => ({ metric: { __name__: name, job: 'orders' }, value: [NOW, '1'] })),
      );
    const asked: string[] = [];
    stub.range = (parameters) => {
      asked.push(parameters.get('query')!);
      return success('matrix', []);
    };
    const [service] = await prometheusServices(input());
    await prometheusFacts(input(), service!);
    expect(Math.max(...asked.map((query) => query.length))).to.be.below(6000);
    const read = asked.flatMap((query) => query.match(/orders_part_\d+_requests_total/g) ?? []);
    expect(new Set(read).size).to.equal(3000);
  });

  it('finds requests whose names begin like those of a runtime', async () => {
    stub.answer = () =>
      success(
        'vector',
        ['google_requests_total', 'processing_requests_total', 'go_requests_total'].map((name, i) => ({
          metric: { __name__: name, job: `job-${'abc'[i]}` },
          value: [NOW, '1'],
        })),
      );
    const services = await prometheusServices(input());
    expect(services.map(({ metric }) => metric)).to.deep.equal(['google_requests_total', 'processing_requests_total']);
  });
});

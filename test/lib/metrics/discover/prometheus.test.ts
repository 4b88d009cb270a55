import { expect } from 'chai';
import { prometheusFacts } from '../../../../src/lib/metrics/discover/index.js';
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
        return success('vector', [{ metric: { __name__: REQUESTS }, value: [NOW, '1'] }]);
      if (query.startsWith('topk')) return success('vector', [{ metric: TARGET, value: [NOW, String(at.length)] }]);
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
  const facts = () =>
    prometheusFacts({ url: stub.url, auth: {}, selector: null, timeoutMs: 5000, now: () => NOW * 1000 });

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
});

import type { RequestListener } from 'node:http';
import { deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { ArmReading } from '../../../../src/lib/judge/index.js';
import { openScrape } from '../../../../src/lib/metrics/scrape.js';
import { ALL_SERIES, DEFAULT_SIGNALS } from '../../../../src/lib/metrics/signals/index.js';
import type { MetricSource, ScrapeConfig } from '../../../../src/lib/metrics/source.js';
import { delimited, Float, family, message } from './protobuf.js';
import { Servers } from './serve.js';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
type Body = string | Buffer;
type Answer = (n: number) => Body | { status?: number; headers?: Record<string, string>; body: Body };

/** What a healthy service shows at the n-th time: 500 requests more each time, 1 of them failed, 490 below 250 ms. */
const good = (n: number): string =>
  `model_requests_total ${500 * n}\nmodel_errors_total ${n}\nmodel_latency_bucket{le="0.25"} ${490 * n}\nmodel_latency_bucket{le="+Inf"} ${500 * n}\nmodel_latency_sum ${50 * n}\nmodel_latency_count ${500 * n}\n`;
const openMetrics = (body: string) => ({ headers: { 'content-type': OPEN_METRICS }, body });

describe('pages as they come, scraped', () => {
  const servers = new Servers();
  let time = 1_796_000_000_000;
  let cursor: unknown = null;
  beforeEach(() => {
    cursor = null;
  });
  afterEach(() => servers.close());

  function page(answer: Answer, host?: string): Promise<string> {
    let n = 0;
    const handler: RequestListener = (_, response) => {
      n += 1;
      const out = answer(n);
      const {
        status = 200,
        headers = {},
        body,
      } = typeof out === 'string' || Buffer.isBuffer(out) ? { body: out } : out;
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4', ...headers }).end(body);
    };
    return servers.http(handler, host);
  }
  const open = (canaryUrl: string, more: Partial<ScrapeConfig> = {}): MetricSource =>
    openScrape(
      ...[
        {
          canaryUrls: [canaryUrl],
          baselineUrls: null,
          arms: ALL_SERIES,
          signals: { ...DEFAULT_SIGNALS, drift: null },
          timeoutMs: 5000,
          ...more,
        },
      ],
      {},
      () => time,
    );
  async function look(source: MetricSource): Promise<ArmReading> {
    time += 1000;
    const request = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60 };
    const reading = await source.read({ ...request, at: time, cursor, scalars: [], withBaseline: false });
    cursor = JSON.parse(JSON.stringify(reading.cursor));
    return reading.observation.canary;
  }
  const refusal = (source: MetricSource) =>
    source.check().then(
      () => null,
      (error: Error) => error,
    );

  for (const [what, answer] of [
    ['plain text', good],
    ['gzip', (n) => ({ headers: { 'content-encoding': 'gzip' }, body: gzipSync(good(n)) })],
    ['gzip in capitals', (n) => ({ headers: { 'content-encoding': 'GZIP' }, body: gzipSync(good(n)) })],
    ['a byte order mark and a comment', (n) => `\ufeff# HELP x y\n${good(n)}`],
    ['no last line feed', (n) => good(n).trimEnd()],
    [
      'types that are given twice, or late',
      (n) =>
        `# TYPE model_latency histogram\n# TYPE model_latency histogram\n${good(n)}# TYPE model_errors_total counter\n`,
    ],
    ['a huge label of another metric', (n) => `other_total{q="${'x'.repeat(1 << 20)}"} 1\n${good(n)}`],
    [
      'very many other series',
      (n) => Array.from({ length: 50_000 }, (_, i) => `other_bucket{p="/a/${i}",le="1"} ${i}\n`).join('') + good(n),
    ],
    ['no +Inf bucket, but a count', (n) => good(n).replace(/.*Inf.*\n/, '')],
    [
      'an le spelt anew each time',
      (n) => good(n).replace('0.25', ['0.25', '0.250', '2.5e-1', '.25', '+2.50E-1'][n % 5]!),
    ],
    [
      'OpenMetrics with exemplars',
      (n) =>
        openMetrics(
          `${good(n).replace(/(model_latency_bucket.*)/g, '$1 # {trace_id="a b\\"} #",span_id="x"} 0.054 1.7e9')}# EOF\n`,
        ),
    ],
    [
      'OpenMetrics with times of creation',
      (n) =>
        openMetrics(
          `# TYPE model_requests counter\n${good(n)}model_requests_created 1.7e9\nmodel_errors_created 1.7e9\nmodel_latency_created 1.7e9\n# EOF\n`,
        ),
    ],
    ['Protocol Buffers', (n) => ({ headers: { 'content-type': PROTOBUF }, body: inProtobuf(n) })],
  ] as const satisfies readonly (readonly [string, Answer])[]) {
    it(`counts ${what}`, async () => {
      const source = open(await page(answer));
      await source.check();
      expect((await look(source)).errors).to.deep.equal({ state: 'first' });
      for (let i = 0; i < 3; i++) {
        const { errors, latency } = await look(source);
        expect(errors).to.deep.equal({ state: 'ok', bad: 1, total: 500 });
        expect(latency).to.deep.equal({ state: 'ok', bounds: [250], counts: [490, 10] });
      }
    });
  }

  it('counts a page at an IPv6 address, with a query, and behind a redirect within its origin', async () => {
    let n = 0;
    const url = await servers.http((request, response) => {
      if (request.url === '/metrics?format=prometheus') response.writeHead(301, { location: '/metrics/' }).end();
      else if (request.url === '/metrics/') response.end(good(++n));
      else response.writeHead(400).end();
    }, '::1');
    const source = open(`${url}?format=prometheus`);
    await source.check();
    await look(source);
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 1, total: 500 });
  });

  it('takes nothing of an answer that was cut off, and counts it all at the next look', async () => {
    // The connection's end is the page's end; that of the third look ends within the last number: 1007000 becomes 1007.
    const text = (n: number) => `model_errors_total ${1000 + 28 * n}\nmodel_requests_total ${1_000_000 + 1000 * n}\n`;
    let n = 0;
    const url = await servers.http((request) => {
      n += 1;
      const body = n === 3 ? text(n).slice(0, -4) : text(n);
      request.socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n${body}`);
    });
    const signals = { ...DEFAULT_SIGNALS, histograms: {}, drift: null };
    const source = open(url, { signals });
    await look(source);
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 28, total: 1000 });
    const cut = await look(source);
    expect(cut.errors).to.include({ state: 'unreachable' });
    expect(cut.errors)
      .to.have.property('detail')
      .that.match(/\/metrics: the answer was cut off: /);
    expect(cut.targets).to.deep.equal({ expected: 1, up: 0 });
    const after = await look(source);
    expect(after.errors).to.deep.equal({ state: 'ok', bad: 56, total: 2000 });
    expect(after.resets).to.equal(undefined);
  });

  it('waits for one look where an answer without a length holds less than before: it may end after a line', async () => {
    const text = (n: number) => `r_total{code="500"} ${28 * n}\nr_total{code="200"} ${972 * n}\n`;
    let n = 0;
    const url = await servers.http((request) => {
      n += 1;
      const body = n === 3 || n >= 5 ? text(n).split('\n')[0] : text(n).trimEnd();
      request.socket.end(`HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n${body}\n`);
    });
    const signals = {
      ...DEFAULT_SIGNALS,
      requests: 'r_total',
      errors: { count: 'r_total{code="500"}', absent: 'no_data' as const },
      histograms: {},
      drift: null,
    };
    const source = open(url, { signals });
    await look(source);
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 28, total: 1000 });
    const cut = (await look(source)).errors;
    expect(cut).to.include({ state: 'unreachable' });
    expect(cut)
      .to.have.property('detail')
      .that.match(/\/metrics: the answer may be cut off: it holds less than at the check before/);
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 56, total: 2000 });
    expect((await look(source)).errors).to.include({ state: 'unreachable' });
    // What goes on to hold less does hold less.
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 56, total: 56 });
  });

  for (const [what, answer] of [
    ['breaks off within its chunks', (response) => response.write(good(1).slice(0, 60))],
    ['is shorter than its length', (response) => response.setHeader('content-length', 5000).write(good(1))],
  ] as const satisfies readonly (readonly [string, (response: Parameters<RequestListener>[1]) => void])[]) {
    it(`takes nothing of an answer that ${what}`, async () => {
      const url = await servers.http((_, response) => {
        answer(response);
        setTimeout(() => response.destroy(), 20);
      });
      const source = open(url);
      expect(await refusal(source)).to.equal(null);
      expect((await look(source)).errors).to.deep.equal({
        state: 'unreachable',
        detail: `${url}: connection reset (ECONNRESET)`,
      });
    });
  }

  for (const [what, answer, words] of [
    [
      'HTML',
      () => ({ headers: { 'content-type': 'text/html' }, body: '<!doctype html>\n<form>' }),
      / answers with HTML, not with metrics$/,
    ],
    [
      'a redirect to itself',
      () => ({ status: 302, headers: { location: '/metrics' }, body: '' }),
      /\/metrics redirects to itself$/,
    ],
    [
      'deflate',
      (n) => ({ headers: { 'content-encoding': 'deflate' }, body: deflateSync(good(n)) }),
      /encoded as deflate, asked for was gzip$/,
    ],
    ['carriage returns', (n) => good(n).replaceAll('\n', '\r\n'), /, line 1: expected a value, got "\d+\\r"$/],
    [
      'OpenMetrics with carriage returns',
      (n) => openMetrics(`${good(n)}# EOF\n`.replaceAll('\n', '\r\n')),
      /, line 1: expected a value, got "\d+\\r"$/,
    ],
    [
      'OpenMetrics without an end',
      (n) => openMetrics(good(n)),
      /, line 6: the text ends without "# EOF": it was cut off$/,
    ],
    [
      'exemplars in the text format',
      (n) => good(n).replace(/(le="0.25".*)/, '$1 # {trace_id="abc"} 0.054'),
      /, line 3: expected the end of the line, got "# {trace_id=\\"abc\\"} 0"$/,
    ],
    [
      'Latin-1',
      (n) => Buffer.concat([Buffer.from('other{a="dur\xe9e"} 1\n', 'latin1'), Buffer.from(good(n))]),
      /: not a text in UTF-8 \(text\/plain; version=0\.0\.4\)$/,
    ],
    [
      'broken Protocol Buffers',
      () => ({ headers: { 'content-type': PROTOBUF }, body: Buffer.from('3a0a0c6d6f64656c', 'hex') }),
      /: not a text in UTF-8 \(application\/vnd\.google\.protobuf; /,
    ],
    [
      '17 MiB',
      () => `other_total{a="${'x'.repeat(1000)}"} 1\n`.repeat(17 * 1024),
      /: the answer is larger than 16 MiB: /,
    ],
  ] as const satisfies readonly (readonly [string, Answer, RegExp])[]) {
    it(`refuses ${what} before the start, and says so when it comes later`, async () => {
      let later = false;
      const url = await page((n) => (later ? answer(n) : good(n)));
      const source = open(url, { timeoutMs: 30_000 });
      await look(source);
      await look(source);
      later = true;
      expect(await refusal(source))
        .to.include({ code: 'SOURCE_INVALID' })
        .and.to.have.property('message')
        .that.matches(words);
      const { errors, latency } = await look(source);
      expect(errors).to.include({ state: 'invalid' }).and.to.have.property('detail').that.matches(words);
      expect(latency).to.deep.equal(errors);
    });
  }

  it('says of a page without a sample that it has none', async () => {
    for (const body of ['', 'OK\n']) {
      cursor = null;
      const source = open(await page(() => body));
      expect(await refusal(source)).to.equal(null);
      const { errors, latency, targets } = await look(source);
      expect(errors)
        .to.include({ state: 'absent' })
        .and.to.have.property('detail')
        .that.matches(/\/metrics: the page holds not one sample$/);
      expect(latency).to.deep.equal(errors);
      expect(targets).to.deep.equal({ expected: 1, up: 1 });
    }
  });

  it('names a summary where a histogram is wanted, and counts the errors', async () => {
    const source = open(
      await page(
        (n) =>
          `# TYPE model_latency summary\nmodel_latency{quantile="0.95"} 0.2\nmodel_latency_sum ${n}\nmodel_latency_count ${n}\nmodel_requests_total ${500 * n}\nmodel_errors_total ${n}\n`,
      ),
    );
    await look(source);
    const { errors, latency } = await look(source);
    expect(errors).to.deep.equal({ state: 'ok', bad: 1, total: 500 });
    expect(latency).to.deep.equal({
      state: 'absent',
      detail: 'no series model_latency_bucket: the page has model_latency as a summary; a histogram is needed',
    });
  });

  it('finds timestamps in seconds, and old ones', async () => {
    const stamped = (stamp: () => number) =>
      page((n) => good(n).replace(/$/gm, (_, at: number) => (at === good(n).length ? '' : ` ${stamp()}`)));
    const seconds = open(await stamped(() => Math.floor(time / 1000)));
    const unit = 'are in seconds, the text format has milliseconds';
    const { errors, latency } = await look(seconds);
    expect(errors).to.deep.equal({ state: 'stale', detail: `timestamps of model_requests_total ${unit}` });
    expect(latency).to.deep.equal({ state: 'stale', detail: `timestamps of model_latency_bucket ${unit}` });
    cursor = null;
    const old = await look(open(await stamped(() => time - 3_600_000)));
    expect(old.latency).to.deep.equal({
      state: 'stale',
      detail: 'newest sample of model_latency_bucket is 3600 s old',
    });
  });

  it('shows the values of an arm that is misspelt', async () => {
    const labelled = (n: number) =>
      good(n).replace(/^(\w+)\{?/gm, (all, name: string) => `${name}{version="v2"${all.endsWith('{') ? ',' : '}'}`);
    const { errors, latency } = await look(
      open(await page(labelled), { arms: { canary: '{version="V2"}', baseline: '{}' } }),
    );
    expect(errors).to.deep.equal({
      state: 'absent',
      detail: 'no series model_requests_total{version="V2"} (version seen: v2)',
    });
    expect(latency).to.deep.equal({
      state: 'absent',
      detail: 'no series model_latency_bucket{version="V2"} (version seen: v2)',
    });
  });

  it('reads names of other characters, asked for as they are', async () => {
    const asked: string[] = [];
    let n = 0;
    const url = await servers.http((request, response) => {
      n += 1;
      asked.push(request.headers.accept!);
      const type = 'text/plain; version=1.0.0; escaping=allow-utf-8';
      const counts = `{"http.requests"} ${500 * n}\n{"http.errors","error.type"="timeout"} ${n}\n`;
      const buckets = `{"http.duration_bucket",le="0.25"} ${490 * n}\n{"http.duration_bucket",le="+Inf"} ${500 * n}\n`;
      response.setHeader('content-type', type).end(counts + buckets);
    });
    const signals = {
      ...{ preset: null, requests: '{"http.requests"}', drift: null, inflight: null },
      errors: { count: '{"http.errors","error.type"!=""}', absent: 'no_data' as const },
      histograms: { latency: { histogram: '{"http.duration"}', unit: 's' as const } },
    };
    const source = open(url, { signals });
    await look(source);
    const { errors, latency } = await look(source);
    expect(errors).to.deep.equal({ state: 'ok', bad: 1, total: 500 });
    expect(latency).to.deep.equal({ state: 'ok', bounds: [250], counts: [490, 10] });
    expect(asked[0]).to.match(/^text\/plain;version=1\.0\.0;escaping=allow-utf-8;q=1,/);
  });

  it('adds up several pages of an arm, and waits for one that does not answer', async () => {
    let isDown = false;
    const urls = [await page(good), await page((n) => (isDown ? { status: 503, body: '' } : good(n)))];
    const source = open(urls[0]!, { canaryUrls: urls });
    await look(source);
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 2, total: 1000 });
    isDown = true;
    const half = await look(source);
    expect(half.errors).to.deep.equal({ state: 'ok', bad: 1, total: 500 });
    expect(half.targets).to.deep.equal({ expected: 2, up: 1 });
    isDown = false;
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 3, total: 1500 });
  });

  it('knows a restart by the start of the process, which page and arm may say', async () => {
    const began = [time - 3_600_000, time - 7_200_000];
    let n = 0;
    const url = await servers.http((_, response) => {
      n += 1;
      if (n === 3) began[1] = time - 500;
      const requests = n < 3 ? 1000 * n : n - 2;
      response.end(
        ['v1', 'v2']
          .map(
            (version, i) =>
              `process_start_time_seconds{version="${version}"} ${began[i]! / 1000}\nmodel_requests_total{version="${version}"} ${i === 0 ? 1000 * n : requests}\nmodel_errors_total{version="${version}"} 0\n`,
          )
          .join(''),
      );
    });
    const signals = { ...DEFAULT_SIGNALS, histograms: {}, drift: null };
    const source = open(url, { signals, arms: { canary: '{version="v2"}', baseline: '{}' } });
    await look(source);
    expect((await look(source)).errors).to.deep.equal({ state: 'ok', bad: 0, total: 1000 });
    const restarted = await look(source);
    expect(restarted.errors).to.deep.equal({ state: 'ok', bad: 0, total: 1 });
    expect(restarted.restarts).to.equal(1);
  });

  function inProtobuf(n: number): Buffer {
    const counter = (value: number) => message([3, message([1, new Float(value)])]);
    const bucket = message([1, 490 * n], [2, new Float(0.25)]);
    return delimited(
      family('model_requests_total', 0, counter(500 * n)),
      family('model_errors_total', 0, counter(n)),
      family('model_latency', 4, message([7, message([1, 500 * n], [2, new Float(n)], [3, bucket])])),
    );
  }
});

import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import type { LukhasError } from '../../../src/lib/errors.js';
import type { CountSignal } from '../../../src/lib/judge/observation.js';
import { parseObservation } from '../../../src/lib/metrics/observation-schema.js';
import { openScrape } from '../../../src/lib/metrics/scrape.js';
import { ALL_SERIES, DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';
import type { MetricSource, Reading, ScrapeConfig, SourceAuth } from '../../../src/lib/metrics/source.js';

/** A model server as one would instrument it. */
class Service {
  readonly registry = new Registry();
  private readonly labelNames = ['version'] as const;
  private readonly common = { labelNames: this.labelNames, registers: [this.registry], help: 'help' };
  readonly latency = new Histogram({ ...this.common, name: 'model_latency', buckets: [0.05, 0.18, 1] });
  readonly score = new Histogram({ ...this.common, name: 'model_score', buckets: [0.25, 0.5, 0.75] });
  readonly requests = new Counter({ ...this.common, name: 'model_requests_total' });
  readonly errors = new Counter({ ...this.common, name: 'model_errors_total' });
  readonly inflight = new Gauge({ ...this.common, name: 'model_inflight_requests' });

  /** @param at milliseconds since the epoch */
  began(at: number): void {
    const help = 'Start time of the process since unix epoch in seconds.';
    new Gauge({ name: 'process_start_time_seconds', help, registers: [this.registry] }).set(at / 1000);
  }

  serve(count: number, bad: number, seconds: number, version = 'v1'): void {
    this.requests.inc({ version }, count);
    this.errors.inc({ version }, bad);
    for (let i = 0; i < count; i++) {
      this.latency.observe({ version }, seconds);
      this.score.observe({ version }, 0.3);
    }
    this.inflight.set({ version }, count);
  }

  readonly handler: RequestListener = (_, response) => {
    void this.registry.metrics().then((text) => {
      response.setHeader('content-type', this.registry.contentType).end(text);
    });
  };
}

describe('openScrape', () => {
  const servers: Server[] = [];
  let time = 1_700_000_000_000;
  let cursor: unknown = null;
  const now = () => time;

  beforeEach(() => {
    cursor = null;
  });
  afterEach(async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(handler: RequestListener, port = 0): Promise<string> {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  }

  function open(canaryUrl: string, more: Partial<ScrapeConfig> = {}, auth: SourceAuth = {}): MetricSource {
    const base = { baselineUrls: null, arms: ALL_SERIES, signals: DEFAULT_SIGNALS, timeoutMs: 1000 };
    return openScrape({ canaryUrls: [canaryUrl], ...base, ...more }, auth, now);
  }

  /** A look ten seconds after the one before, with the cursor through JSON as the store does it. */
  async function look(source: MetricSource, more: { scalars?: string[]; signal?: AbortSignal } = {}): Promise<Reading> {
    time += 10_000;
    const request = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60 };
    const reading = await source.read({ ...request, at: time, cursor, scalars: [], withBaseline: true, ...more });
    if (reading.cursor !== null) cursor = JSON.parse(JSON.stringify(reading.cursor));
    const observation = { ...reading.observation, tick: 0 };
    expect(parseObservation(JSON.stringify(observation), 'reading')).to.deep.equal(observation);
    return reading;
  }
  const errorsOf = (reading: Reading): CountSignal => reading.observation.canary.errors!;

  it('refuses a page that is given twice: its requests would be twice the evidence', async () => {
    const url = 'http://127.0.0.1:8080/metrics';
    for (const other of [url, 'http://localhost:8080/metrics/', 'http://[::1]:8080/metrics', `dns+${url}`]) {
      for (const urls of [{ canaryUrls: [url, other] }, { baselineUrls: [url, other] }]) {
        const error = await open('http://127.0.0.1:1/metrics', urls)
          .check()
          .catch((refused: LukhasError) => refused);
        expect(error).to.include({ code: 'CONFIG' });
        expect((error as LukhasError).message).to.match(/: its requests would count twice$/);
      }
    }
  });

  it('takes a label without a value for none, so that its series is counted on', async () => {
    const page = (requests: number, labels: string) =>
      `model_requests_total${labels} ${requests}\nmodel_errors_total 0\n`;
    const pages = [page(1000, '{a=""}'), page(1100, ''), page(1200, '{a="",b=""}')];
    const url = await serve((_, response) => void response.end(pages.shift()));
    const signals = { ...DEFAULT_SIGNALS, histograms: {}, drift: null, inflight: null };
    const source = open(url, { signals });
    await look(source);
    for (const _ of ['first', 'second']) {
      const { observation } = await look(source);
      expect(observation.canary.errors).to.deep.equal({ state: 'ok', bad: 0, total: 100 });
    }
  });

  it('reads two services: a starting point, then the increments of each', async () => {
    const [canary, baseline] = [new Service(), new Service()];
    const source = open(await serve(canary.handler), { baselineUrls: [await serve(baseline.handler)] });
    canary.serve(100, 5, 0.1);
    baseline.serve(200, 1, 0.01);
    const first = await look(source);
    expect(first.observation).to.include({ t: time, from: time });
    expect(first.observation.canary).to.deep.include({ errors: { state: 'first' }, latency: { state: 'first' } });
    canary.serve(10, 2, 0.15);
    baseline.serve(20, 0, 2);
    const second = await look(source);
    expect(second.observation).to.deep.equal({
      v: 1,
      t: time,
      from: time - 10_000,
      canary: {
        errors: { state: 'ok', bad: 2, total: 10 },
        latency: { state: 'ok', bounds: [50, 180, 1000], counts: [0, 10, 0, 0] },
        score: { state: 'ok', bounds: [0.25, 0.5, 0.75], counts: [0, 10, 0, 0] },
        inflight: 10,
        targets: { expected: 1, up: 1 },
      },
      baseline: {
        errors: { state: 'ok', bad: 0, total: 20 },
        latency: { state: 'ok', bounds: [50, 180, 1000], counts: [0, 0, 0, 20] },
        score: { state: 'ok', bounds: [0.25, 0.5, 0.75], counts: [0, 20, 0, 0] },
        inflight: 20,
        targets: { expected: 1, up: 1 },
      },
    });
  });

  it('tells the arms of one page apart by labels, and fetches it once', async () => {
    const service = new Service();
    service.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as OpenMetricsContentType as never);
    let fetched = 0;
    const url = await serve((request, response) => {
      fetched += 1;
      service.handler(request, response);
    });
    const source = open(url, {
      baselineUrls: [url],
      arms: { canary: '{version="v2"}', baseline: '{version="v1"}' },
    });
    service.serve(1, 0, 0.1, 'v1');
    service.serve(1, 0, 0.1, 'v2');
    await look(source);
    service.serve(30, 3, 0.1, 'v1');
    service.serve(4, 1, 0.1, 'v2');
    const { observation } = await look(source);
    expect(observation.canary.errors).to.deep.equal({ state: 'ok', bad: 1, total: 4 });
    expect(observation.baseline!.errors).to.deep.equal({ state: 'ok', bad: 3, total: 30 });
    expect(fetched).to.equal(2);
  });

  it('asks the baseline only when there is one to ask for', async () => {
    const service = new Service();
    const source = open(await serve(service.handler), { baselineUrls: ['http://127.0.0.1:1/never'] });
    const request = { modelId: 'm', canaryGate: 'stage', baselineGate: 'production', windowSeconds: 60, at: time };
    const { observation } = await source.read({ ...request, cursor: null, scalars: [], withBaseline: false });
    expect(observation).not.to.have.property('baseline');
  });

  it('goes on over an outage: unreachable, then all that was counted meanwhile', async () => {
    const [canary, baseline] = [new Service(), new Service()];
    const url = await serve(canary.handler);
    const source = open(url, { baselineUrls: [await serve(baseline.handler)] });
    for (const service of [canary, baseline]) service.serve(100, 0, 0.1);
    await look(source);
    const [server] = servers.splice(0, 1);
    server!.closeAllConnections();
    await new Promise((resolve) => server!.close(resolve));
    canary.serve(7, 0, 0.1);
    baseline.serve(5, 0, 0.1);
    const during = await look(source);
    const detail = `${url}: connection refused (ECONNREFUSED)`;
    expect(during.observation.canary).to.deep.equal({
      errors: { state: 'unreachable', detail },
      latency: { state: 'unreachable', detail },
      score: { state: 'unreachable', detail },
      targets: { expected: 1, up: 0 },
    });
    expect(during.observation.baseline!.errors).to.deep.equal({ state: 'ok', bad: 0, total: 5 });
    expect(during.observation).not.to.have.property('notes');
    await serve(canary.handler, Number(new URL(url).port));
    canary.serve(3, 1, 0.1);
    baseline.serve(5, 0, 0.1);
    const after = await look(source);
    expect(errorsOf(after)).to.deep.equal({ state: 'ok', bad: 1, total: 10 });
    expect(after.observation).to.deep.include({
      from: time - 20_000,
      notes: ['canary counts cover 20 s, baseline counts 10 s'],
    });
  });

  it('does not take a service that comes up later for one that counted from zero', async () => {
    const service = new Service();
    service.serve(1000, 10, 0.1);
    let up = false;
    const url = await serve((request, response) =>
      up ? service.handler(request, response) : response.writeHead(503).end(),
    );
    const source = open(url);
    expect(errorsOf(await look(source))).to.deep.equal({ state: 'unreachable', detail: `${url} answered 503` });
    up = true;
    const first = await look(source);
    expect(errorsOf(first)).to.deep.equal({ state: 'first' });
    expect(first.observation.from).to.equal(time - 10_000);
    service.serve(5, 0, 0.1);
    expect(errorsOf(await look(source))).to.deep.equal({ state: 'ok', bad: 0, total: 5 });
  });

  for (const [what, handler, state, detail] of [
    ['401', (_, response) => response.writeHead(401).end(), 'refused', /answered 401/],
    ['404', (_, response) => response.writeHead(404).end(), 'invalid', /answered 404/],
    ['500', (_, response) => response.writeHead(500).end(), 'unreachable', /answered 500/],
    [
      'an HTML page',
      (_, response) => response.end('<!DOCTYPE html>'),
      'invalid',
      /\/metrics, line 1: not an exposition/,
    ],
    [
      'JSON',
      (_, response) => response.end('{"status": "UP"}'),
      'invalid',
      /\/metrics: this is JSON, not a metrics page$/,
    ],
    ['noise', (_, response) => response.end(randomBytes(1e6)), 'invalid', /not a text in UTF-8/],
    ['a bad sample', (_, response) => response.end('model_errors_total x\n'), 'invalid', /line 1: expected a value/],
    ['an empty page', (_, response) => response.end(), 'absent', /\/metrics\S*: the page holds not one sample$/],
    ['silence', () => undefined, 'unreachable', /no complete answer within 0.2 s/],
  ] as const satisfies readonly (readonly [string, RequestListener, string, RegExp])[]) {
    it(`${what} is ${state}`, async () => {
      const source = open(`${await serve(handler)}?token=secret`, { timeoutMs: 200 });
      const signal = errorsOf(await look(source)) as { state: string; detail: string };
      expect(signal.state).to.equal(state);
      expect(signal.detail).to.match(detail).and.not.to.contain('secret');
    });
  }

  it('refuses a body of 50 MB', async () => {
    const line = Buffer.from(`${'model_requests_total 1\n'.repeat(10_000)}`);
    const url = await serve((_, response) => {
      let left = 50e6;
      const more = () => {
        while (left > 0 && !response.destroyed) {
          left -= line.length;
          if (!response.write(line)) return;
        }
      };
      response.on('drain', more);
      more();
    });
    const source = open(url, { timeoutMs: 60_000 });
    const signal = errorsOf(await look(source)) as { state: string; detail: string };
    expect(signal.state).to.equal('invalid');
    expect(signal.detail).to.match(/larger than 16 MiB: expose fewer series there, or read them through Prometheus/);
  });

  it('counts a service that restarts, and says so', async () => {
    let service = new Service();
    const source = open(await serve((request, response) => service.handler(request, response)));
    service.began(time - 3_600_000);
    service.serve(1000, 10, 0.1);
    await look(source);
    service = new Service();
    service.began(time + 5_000);
    service.serve(6, 1, 0.1);
    const { canary } = (await look(source)).observation;
    expect(canary.errors).to.deep.equal({ state: 'ok', bad: 1, total: 6 });
    expect(canary.latency).to.have.property('state', 'ok');
    expect([canary.resets, canary.restarts]).to.deep.equal([1, 1]);
  });

  it('waits for the next look where a service that does not say when it began may have restarted', async () => {
    let service = new Service();
    const source = open(await serve((request, response) => service.handler(request, response)));
    service.serve(1000, 10, 0.1);
    await look(source);
    service = new Service();
    service.serve(6, 1, 0.1);
    const fallen = (await look(source)).observation.canary;
    expect(fallen.errors).to.have.property('state', 'unstable');
    service.serve(4, 0, 0.1);
    expect(errorsOf(await look(source))).to.deep.equal({ state: 'ok', bad: 1, total: 10 });
  });

  it('minds the timestamps of samples: old ones are stale, future ones tell of clock skew', async () => {
    let stamp = 0;
    const url = await serve((_, response) => {
      response.end(`model_requests_total 5 ${stamp}\nmodel_errors_total 0 ${stamp}\n`);
    });
    const source = open(url);
    stamp = time + 10_000 - 61_000;
    expect(errorsOf(await look(source))).to.deep.equal({
      state: 'stale',
      detail: 'newest sample of model_requests_total is 61 s old',
    });
    stamp = time + 10_000 - 59_000;
    expect(errorsOf(await look(source))).to.deep.equal({ state: 'first' });
    stamp = time + 10_000 + 90_000;
    const skewed = await look(source);
    expect(errorsOf(skewed)).to.deep.equal({ state: 'ok', bad: 0, total: 0 });
    expect(skewed.observation.notes).to.deep.equal(['canary: clock skew: timestamps are 90 s ahead of this clock']);
  });

  it('has no scalars, and says why', async () => {
    const { observation } = await look(open(await serve(new Service().handler)), { scalars: ['drift'] });
    expect(observation.scalars!['drift']).to.include({ state: 'no_source' });
  });

  it('rejects with the reason when aborted', async () => {
    const source = open(await serve(() => undefined));
    const reason = new Error('enough');
    expect(await look(source, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)).to.equal(reason);
  });

  for (const [what, config, message] of [
    ['no URL', { canaryUrls: ['localhost'] }, 'canary URL: is not a URL; write e.g. http://127.0.0.1:9101/metrics'],
    [
      'another protocol',
      { canaryUrls: ['file:///etc/passwd'] },
      'canary URL: must start with http:// or https://, e.g. http://127.0.0.1:9101/metrics',
    ],
    [
      'credentials',
      { canaryUrls: ['http://h:1/m'], baselineUrls: ['https://me:secret@h:2/m'] },
      'baseline URL: contains a user name or password, which would be recorded; name the variables that hold them instead (bearerEnv, basic or headersEnv beside it, in lukhas.yaml)',
    ],
    [
      'arms that are the same',
      { canaryUrls: ['http://h:1/m?k=v'], baselineUrls: ['http://h:1/m?k=v'] },
      'arms: canary and baseline can be the same series (both {})',
    ],
  ] as const) {
    it(`check refuses ${what}`, async () => {
      const error = await open('', config)
        .check()
        .catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'CONFIG', message });
    });
  }

  it('check does not mind a service that is not up yet', async () => {
    await open('http://127.0.0.1:1/metrics').check();
  });

  it('notes what is declared a gauge and read as something else', async () => {
    const types = ['model_requests_total gauge', 'model_errors_total counter', 'model_latency gauge', 'other gauge'];
    const page = types.map((type) => `# TYPE ${type}\n`).join('');
    const url = await serve((_, response) => response.end(`${page}model_requests_total 1\nmodel_errors_total 0\n`));
    expect((await look(open(url))).observation.notes).to.deep.equal([
      'canary: model_requests_total is declared a gauge, read as a counter',
      'canary: model_latency is declared a gauge, read as a histogram',
    ]);
  });

  for (const [what, handler, code, message] of [
    ['an HTML page', 'text/html', 'SOURCE_INVALID', /answers with HTML, not with metrics$/],
    ['a page that is not there', 404, 'SOURCE_INVALID', /answered 404$/],
    ['a page that wants credentials', 401, 'SOURCE_REFUSED', /answered 401: it wants credentials$/],
  ] as const) {
    it(`check refuses ${what}, also of the baseline`, async () => {
      const good = await serve((_, response) => void response.end('up 1\n'));
      const bad = await serve((_, response) => {
        if (typeof handler === 'number') response.writeHead(handler).end();
        else response.setHeader('content-type', handler).end('<!doctype html>');
      });
      for (const source of [open(bad), open(good, { baselineUrls: [bad] })]) {
        const error = await source.check().catch((thrown: unknown) => thrown);
        expect(error).to.include({ code });
        expect((error as Error).message).to.match(message);
      }
    });
  }

  it('sends its credentials, and says which keys name them where a page wants some', async () => {
    const wanted = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    const handler: RequestListener = ({ headers }, response) => {
      if (headers.authorization !== wanted || headers['x-scope-orgid'] !== 'team-a') response.writeHead(403).end();
      else response.end('model_requests_total 1\nmodel_errors_total 0\n');
    };
    const url = await serve(handler);
    const auth = { basic: { username: 'ann', password: 'secret' }, headers: { 'X-Scope-OrgID': 'team-a' } };
    await open(url, {}, auth).check();
    expect(errorsOf(await look(open(url, {}, auth)))).to.deep.equal({ state: 'first' });
    const refusal = async (given: SourceAuth) => {
      const error = await open(url, {}, given)
        .check()
        .catch((thrown: unknown) => thrown);
      expect(error).to.include({ code: 'SOURCE_REFUSED' });
      const { message, suggestions } = error as LukhasError;
      return `${message} ${suggestions.join(' ')}`;
    };
    expect(await refusal({})).to.match(/answered 403: it wants credentials .*bearerEnv.*basic: \{ usernameEnv/);
    expect(await refusal({ bearer: 'wrong-token' }))
      .to.match(/does not accept the credentials/)
      .and.not.contain('wrong-token');
  });

  it('check does not mind a page without the series', async () => {
    await open(await serve((_, response) => void response.end('up 1\n'))).check();
  });
});

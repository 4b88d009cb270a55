import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { reachable } from '../../../src/lib/metrics/reachable.js';
import { ALL_SERIES, DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/index.js';
import { PROMETHEUS_DEFAULTS, type SourceDescriptor } from '../../../src/lib/metrics/source.js';

describe('whether a source answers', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function up(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const scrape = (canaryUrl: string, baselineUrl: string | null = null): SourceDescriptor => ({
    kind: 'scrape',
    canaryUrls: [canaryUrl],
    baselineUrls: baselineUrl === null ? null : [baselineUrl],
    arms: ALL_SERIES,
    signals: DEFAULT_SIGNALS,
    timeoutMs: 60_000,
  });
  const prometheus = (url: string): SourceDescriptor => ({
    kind: 'prometheus',
    url,
    queries: {},
    ...PROMETHEUS_DEFAULTS,
  });
  const well: RequestListener = (_, response) => void response.end('a 1\n');

  it('is no question where none is configured', async () => {
    expect(await reachable({ kind: 'none' }, {}, 100)).to.deep.equal({ ok: true, detail: 'none is configured' });
  });

  it('takes both metrics pages', async () => {
    const url = await up(well);
    const failing = await up((_, response) => void response.writeHead(503).end());
    expect((await reachable(scrape(url, url), {}, 1000)).ok).to.equal(true);
    const one = await reachable(scrape(url, failing), {}, 1000);
    expect(one.ok).to.equal(false);
    expect(one.detail).to.contain(failing).and.to.contain('503');
    expect((await reachable(scrape('http://127.0.0.1:9/metrics'), {}, 1000)).ok).to.equal(false);
  });

  it('waits no longer than the probe has', async () => {
    const silent = await up(() => undefined);
    expect((await reachable(scrape(silent), {}, 100)).ok).to.equal(false);
  });

  it('asks Prometheus for a query, with its credentials and without naming them', async () => {
    const url = await up((request, response) => {
      const letIn = request.headers.authorization === 'Bearer s3cret' && request.url?.startsWith('/api/v1/query?');
      response.writeHead(letIn ? 200 : 401).end('{}');
    });
    expect((await reachable(prometheus(url), { bearer: 's3cret' }, 1000)).ok).to.equal(true);
    const refused = await reachable(prometheus(url), { bearer: 'wr0ng' }, 1000);
    expect(refused.ok).to.equal(false);
    expect(refused.detail).to.not.contain('wr0ng');
  });

  it('wants the file of an input to be there', async () => {
    expect((await reachable({ kind: 'ndjson', input: import.meta.filename }, {}, 100)).ok).to.equal(true);
    const gone = await reachable({ kind: 'ndjson', input: '/nowhere/x.ndjson' }, {}, 100);
    expect([gone.ok, gone.detail]).to.deep.equal([false, '/nowhere/x.ndjson: ENOENT']);
  });
});

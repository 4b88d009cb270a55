import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { type App, openApp } from '../../src/lib/app/app.js';
import { loadConfig } from '../../src/lib/app/config.js';
import { serveSettings } from '../../src/lib/app/serve-settings.js';
import { LukhasError } from '../../src/lib/errors.js';
import { ALL_SERIES, DEFAULT_SIGNALS } from '../../src/lib/metrics/signals/index.js';
import { until } from '../until.js';

const KEY = 'a-key-of-some-length';

describe('the daemon', () => {
  let dir: string;
  let app: App | null = null;
  let daemon: Daemon | null = null;
  let page: Server | null = null;
  let said: string[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-daemon-'));
    said = [];
  });
  afterEach(async () => {
    await daemon?.stop();
    daemon = null;
    await app?.close();
    app = null;
    page?.closeAllConnections();
    page?.close();
    page = null;
    await rm(dir, { recursive: true, force: true });
  });

  async function start(env: Record<string, string> = {}, options: { toolsets?: string } = {}): Promise<string> {
    const config = await loadConfig({ env: { HOME: dir, LUKHAS_MCP_DB: join(dir, 'log.db'), ...env }, cwd: dir });
    app = await openApp({ config });
    daemon = await startDaemon({
      app,
      version: '1.2.3',
      http: serveSettings(config.serve, { port: '0' }),
      readOnly: false,
      say: (line) => line.includes('created keys') || said.push(line),
      ...options,
    });
    return daemon.url as string;
  }

  const json = async (url: string, init?: RequestInit) =>
    (await (await fetch(url, init)).json()) as Record<string, unknown>;
  const samples = async (url: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return new Map(
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  };
  const call = async (url: string, name: string, args: object) => {
    const answer = await json(`${url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
    });
    return answer['result'] as { structuredContent: Record<string, unknown> };
  };
  const canary = (url: string, more: object = {}) =>
    call(url, 'start_canary', {
      ...more,
      modelId: 'fraud-v2',
      fromGate: 'stage',
      toGate: 'production',
      targets: { max_error_rate: 0.02 },
    });

  it('says how it is, and what it has', async () => {
    const url = await start();
    const health = await json(`${url}/health`);
    expect(health).to.include({
      status: 'ok',
      server: 'lukhas',
      version: '1.2.3',
      transport: 'http',
      mcp_version: '2026-07-28',
    });
    expect(health['canaries']).to.include({ PENDING: 0, RUNNING: 0, PROMOTED: 0 });
    expect(health['ledger']).to.deep.equal({ size: 0 });
    expect(Date.parse(health['timestamp'] as string)).to.be.closeTo(Date.now(), 5_000);
    expect((await fetch(`${url}/healthz`, { method: 'HEAD' })).status).to.equal(200);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).to.deep.equal([
      200,
      { ready: true, checks: { database: 'ok', runner: 'ok', source: 'ok' } },
    ]);
  });

  it('is not ready while its source does not answer', async () => {
    const url = await start({ PROM_URL: 'http://127.0.0.1:9' });
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, ((await ready.json()) as { checks: object }).checks]).to.deep.equal([
      503,
      { database: 'ok', runner: 'ok', source: 'failed' },
    ]);
    const health = await json(`${url}/health`);
    expect(health['status']).to.equal('degraded');
    expect((health['checks'] as { source: { detail: string } }).source.detail).to.contain('127.0.0.1:9');
  });

  it('drives what is started through it, at once, and counts it', async () => {
    page = createServer((_, response) => void response.end('model_requests_total 5\nmodel_errors_total 0\n'));
    await new Promise<void>((resolve) => page!.listen(0, '127.0.0.1', resolve));
    const url = await start();
    const { port } = page.address() as AddressInfo;
    Object.assign(app!.config, {
      source: {
        kind: 'scrape',
        canaryUrls: [`http://127.0.0.1:${port}/metrics`],
        baselineUrls: null,
        arms: ALL_SERIES,
        signals: DEFAULT_SIGNALS,
        timeoutMs: 500,
      },
    });
    const { structuredContent } = await canary(url);
    const id = structuredContent['canaryId'] as string;
    await until(async () => (await app!.canaries.get(id)).state === 'RUNNING');
    const metrics = await samples(url);
    expect(metrics.get('lukhas_canaries{state="RUNNING"}')).to.equal(1);
    expect(metrics.get('lukhas_ledger_events')).to.be.greaterThan(1);
    expect(metrics.get('lukhas_database_bytes')).to.be.greaterThan(10_000);
    expect(metrics.get('lukhas_http_requests_total{route="/mcp",method="POST",status="200"}')).to.equal(1);
  });

  it('counts looks whose source fails; every counter is there from the start, at zero', async () => {
    const url = await start();
    const before = await samples(url);
    for (const name of [
      'lukhas_source_errors_total{state="unreachable"}',
      'lukhas_fallback_engaged_seconds_total',
      'lukhas_ticks_late_total',
      'lukhas_export_failures_total',
      'lukhas_hook_results_total{action="rollback",result="failed"}',
      'lukhas_sse_clients_dropped_total',
    ])
      expect(before.get(name), name).to.equal(0);
    Object.assign(app!.config, {
      source: {
        kind: 'scrape',
        canaryUrls: ['http://127.0.0.1:9/metrics'],
        baselineUrls: null,
        arms: ALL_SERIES,
        signals: DEFAULT_SIGNALS,
        timeoutMs: 500,
      },
    });
    // Nothing answers there, so it would not start.
    await canary(url, { allowMissing: true });
    await until(async () => (await samples(url)).get('lukhas_source_errors_total{state="unreachable"}') === 1);
  });

  it('asks for a key everywhere but where probes look', async () => {
    const url = await start({ LUKHAS_MCP_API_KEYS: KEY });
    for (const path of ['/health', '/metrics', '/sse?topic=jobs', '/nothing'])
      expect((await fetch(url + path)).status, path).to.equal(401);
    expect((await fetch(`${url}/mcp`, { method: 'POST', body: '{}' })).status).to.equal(401);
    for (const path of ['/healthz', '/readyz']) expect((await fetch(url + path)).status, path).to.equal(200);
    expect((await fetch(`${url}/health`, { headers: { 'x-api-key': KEY } })).status).to.equal(200);
    expect((await fetch(`${url}/sse?topic=jobs&key=${KEY}`)).status).to.equal(400);
  });

  it('limits MCP requests where it is told to, every message of a batch, and nothing else', async () => {
    const url = await start({ MCP_RL_BUCKET: '4', MCP_RL_WINDOW_MS: '600000' });
    const ping = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' });
    const post = async (body: unknown) => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
    };
    expect([await post(ping(1)), await post([ping(2), ping(3), ping(4)])]).to.deep.equal([200, 200]);
    expect(await post(ping(5))).to.equal(429);
    for (let n = 0; n < 6; n++)
      for (const path of ['/health', '/healthz', '/metrics']) expect((await fetch(url + path)).status).to.equal(200);
    const stream = await fetch(`${url}/sse?topic=jobs`);
    expect(stream.status).to.equal(200);
    await stream.body?.cancel();
    const refused = 'lukhas_http_requests_total{route="/mcp",method="POST",status="429"}';
    expect((await samples(url)).get(refused)).to.equal(1);
  });

  it('tells who follows gates of a promotion by hand', async () => {
    await writeFile(join(dir, 'lukhas.yaml'), 'promotion: {requireCanary: false}\n');
    const url = await start();
    const streamed = (await fetch(`${url}/sse?topic=gate/production`)).text();
    const { structuredContent } = await call(url, 'promote_model', { modelId: 'fraud-v2', gate: 'production' });
    expect(structuredContent).to.include({ promoted: true, changed: true });
    await wait(300);
    await daemon!.stop();
    const text = await streamed;
    const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    expect(names).to.have.members(['open', 'promotion_requested', 'gate_changed', 'promotion_finished']);
    const data = (name: string) => JSON.parse(new RegExp(`^event: ${name}\ndata: (.*)$`, 'm').exec(text)?.[1] ?? '');
    const holds = { gate: 'production', modelId: 'fraud-v2' };
    expect(data('gate_changed')).to.include({ ...holds, previous: null, canaryId: null, by: '127.0.0.1' });
    expect(data('promotion_finished')).to.include({ ...holds, ok: true, failed: null, changed: true });
  });

  it('ends waits and streams when it stops, before the time of the wait is over', async () => {
    const url = await start();
    const { structuredContent } = await canary(url);
    const stream = await fetch(`${url}/sse?topic=canaries`);
    const streamed = stream.text();
    const waiting = call(url, 'canary_status', { canaryId: structuredContent['canaryId'], waitSeconds: 25 });
    await wait(300);
    const began = performance.now();
    await daemon!.stop();
    expect(performance.now() - began).to.be.below(20_000);
    expect((await waiting).structuredContent).to.include({ canaryId: structuredContent['canaryId'] });
    expect(await streamed).to.match(/event: open/);
    expect(said).to.deep.equal([]);
  });

  it('that cannot start leaves nothing behind', async () => {
    const url = await start();
    const { port } = new URL(url);
    const options = {
      app: app!,
      version: '1',
      http: { host: '127.0.0.1', port: Number(port), apiKeys: [] },
      readOnly: false,
      say: () => undefined,
    };
    const taken = await startDaemon(options).catch((error: unknown) => error as LukhasError);
    expect(taken).to.be.instanceOf(LukhasError).with.property('code', 'LISTEN');
    const http = { ...options.http, port: 0 };
    const unknown = await startDaemon({ ...options, http, toolsets: 'canaries,magic' }).catch(
      (error: unknown) => error,
    );
    expect(unknown).to.be.instanceOf(LukhasError).with.property('code', 'USAGE');
    expect((await fetch(`${url}/healthz`)).status).to.equal(200);
  });

  it('whose database is deleted is not ready, says so once, and promotes nothing', async () => {
    const url = await start();
    await rm(join(dir, 'log.db'));
    await until(async () => (await fetch(`${url}/readyz`)).status === 503);
    const { checks } = await json(`${url}/health`);
    expect((checks as { database: { detail: string } }).database.detail).to.contain('was deleted or replaced');
    const answer = await canary(url);
    expect(JSON.stringify(answer)).to.contain('LEDGER_UNAVAILABLE');
    await until(async () => said.length > 0);
    await wait(100);
    expect(said).to.have.length(1);
    expect(said[0]).to.contain(join(dir, 'log.db')).and.to.contain('was deleted or replaced while it was open');
    expect(await app!.ledger.size()).to.equal(0);
  });

  it('does not start with a configured policy that is none', async () => {
    const refusal = async (text: string | null) => {
      if (text !== null) await writeFile(join(dir, 'policy.yaml'), text);
      const error = await start().catch((reason: unknown) => reason as LukhasError);
      await app?.close();
      app = null;
      return error;
    };
    await writeFile(join(dir, 'lukhas.yaml'), 'policy: policy.yaml\n');
    for (const text of [null, 'windowSeconds: 300\ntargets: {max_eror_rate: 0.02}\n', 'windowSeconds: 300\n']) {
      const error = await refusal(text);
      expect(error).to.be.instanceOf(LukhasError).with.property('code', 'POLICY');
      expect((error as LukhasError).message).to.contain(join(dir, 'policy.yaml'));
    }
    await writeFile(join(dir, 'policy.yaml'), 'name: strict\nwindowSeconds: 300\ntargets: {max_error_rate: 0.01}\n');
    const answer = JSON.stringify(await canary(await start()));
    expect(answer).to.contain('POLICY: max_error_rate: 0.02 is looser than the configured policy (0.01)');
    expect(await app!.ledger.size()).to.equal(0);
  });

  it('of which a part has died says so: it ends, and is not ready meanwhile', async () => {
    const url = await start();
    // The log is gone under it, which no retry mends.
    await app!.ledger.close();
    const error = await daemon!.ended;
    expect(error).to.be.instanceOf(Error);
    const ready = await fetch(`${url}/readyz`);
    expect(ready.status).to.equal(503);
    expect(((await ready.json()) as { checks: object }).checks).to.include({ runner: 'failed', source: 'ok' });
  });
});

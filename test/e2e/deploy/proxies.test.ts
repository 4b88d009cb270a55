import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { chromium } from 'playwright-core';
import { until } from '../../until.js';
import { type Running, Workspace } from '../lukhas.js';
import { type Answer, FrontProxy, KINDS, NAME } from './proxy.js';

const KEY = 'a-key-of-some-length';
const WITH_KEY = { Authorization: `Bearer ${KEY}` };
/** Longer than nginx waits for a silent server by default, 60 s; LUKHAS_TEST_SILENCE for longer tries by hand. */
const SILENT_SECONDS = Number(process.env['LUKHAS_TEST_SILENCE'] ?? 65);
const HSTS = 'max-age=63072000; includeSubDomains';
/** As many as the production checklist names. */
const MANY = 1000;
const PROGRAMS = ['nginx', 'caddy'] as const;

describe('lukhas behind nginx and Caddy, with the files of the package', function () {
  this.timeout(180_000 + SILENT_SECONDS * 1000);
  let w: Workspace;
  let daemon: Running;
  const proxies = {} as Record<(typeof PROGRAMS)[number], FrontProxy>;

  before(async () => {
    w = new Workspace();
    w.file('lukhas.yaml', JSON.stringify({ serve: { allowedHosts: [NAME], publicUrl: `https://${NAME}` } }));
    daemon = w.start(['serve', '--port', '0', '--demo'], { env: { LUKHAS_MCP_API_KEYS: KEY } });
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    const url = /listening on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1] as string;
    for (const program of PROGRAMS) proxies[program] = await FrontProxy.start(KINDS[program], url);
  });
  after(async () => {
    await Promise.all(PROGRAMS.map((program) => proxies[program]?.stop()));
    daemon?.child.kill('SIGCONT');
    await w?.remove();
  });

  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
  async function call(proxy: FrontProxy, name: string, args: object): Promise<any> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
    const headers = { ...WITH_KEY, 'Content-Type': 'application/json' };
    const answer = await proxy.ask('/mcp', { method: 'POST', headers, body });
    expect(answer.status).to.equal(200);
    return answer.json().result.structuredContent;
  }

  const start = (proxy: FrontProxy, windowSeconds: number): Promise<{ canaryId: string }> =>
    call(proxy, 'start_canary', {
      ...{ modelId: 'fraud-v2', fromGate: 'stage', toGate: 'production', windowSeconds },
      ...{ targets: { latency_p95_ms: 5000, max_error_rate: 0.02 }, allowSharedSeries: true },
    });

  /** An event stream that is read all the time. */
  async function stream(proxy: FrontProxy, topics: string) {
    const response = await proxy.open(`/sse?topic=${topics}`, { headers: WITH_KEY });
    expect(response.statusCode).to.equal(200);
    const state = { text: '', over: false };
    response.setEncoding('utf8').on('data', (text: string) => {
      state.text += text;
    });
    response.once('close', () => {
      state.over = true;
    });
    response.once('error', () => undefined);
    const has = (event: string, id: string) =>
      state.text.split('\n\n').some((each) => each.includes(`event: ${event}\n`) && each.includes(id));
    await until(() => state.text.includes('event: open\n'));
    return { state, has, close: () => response.destroy() };
  }

  for (const program of PROGRAMS) {
    it(`serve the cockpit over TLS with all headers (${program})`, async () => {
      const page = await proxies[program].ask('/cockpit.html');
      expect(page.status).to.equal(200);
      expect(page.bytes.toString()).to.match(/^<!doctype html>/i);
      expect(page.headers).to.include({
        'strict-transport-security': HSTS,
        'x-robots-tag': 'noindex, nofollow',
        'x-content-type-options': 'nosniff',
      });
      expect(page.headers['content-security-policy']).to.contain("default-src 'none'");
      expect(page.headers['server'] ?? '').not.to.match(/\d/);
      const refused = await proxies[program].ask('/mcp', { method: 'POST' });
      expect([refused.status, refused.headers['strict-transport-security']]).to.deep.equal([401, HSTS]);
      const resolve = ['--resolve', `${NAME}:${proxies[program].https}:127.0.0.1`, '--insecure', '--silent', '--http2'];
      const format = ['--output', '/dev/null', '--write-out', '%{http_version} %{http_code}'];
      const printed = execFileSync('curl', [...resolve, ...format, `${proxies[program].origin}/healthz`]);
      expect(printed.toString()).to.equal('2 200');
    });

    it(`send plain HTTP to HTTPS (${program})`, async () => {
      const printed = execFileSync('curl', [
        ...['--silent', '--include', '--header', `Host: ${NAME}`],
        `http://127.0.0.1:${proxies[program].http}/cockpit.html?x=1`,
      ]).toString();
      expect(printed).to.match(/^HTTP\/1.1 30[18] /);
      expect(printed).to.match(new RegExp(`^location: https://${NAME}(:\\d+)?/cockpit.html\\?x=1\r$`, 'im'));
    });

    it(`pass on who may do what: keys, sessions, origins (${program})`, async () => {
      const proxy = proxies[program];
      expect((await proxy.ask('/api/overview')).status).to.equal(401);
      expect((await proxy.ask('/api/overview', { headers: WITH_KEY })).status).to.equal(200);
      const signIn = (origin: string, key = KEY): Promise<Answer> =>
        proxy.ask('/login', {
          method: 'POST',
          headers: { Origin: origin, 'Content-Type': 'application/json' },
          body: JSON.stringify({ key }),
        });
      expect((await signIn('https://other.example.org')).status).to.equal(403);
      const signedIn = await signIn(proxy.origin);
      expect(signedIn.status).to.equal(204);
      const [cookie = ''] = signedIn.headers['set-cookie'] ?? [];
      for (const flag of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/'])
        expect(cookie.split(/;\s*/).map((each) => each.toLowerCase())).to.include(flag.toLowerCase());
      const session = { Cookie: cookie.split(';', 1)[0] as string };
      expect((await proxy.ask('/api/overview', { headers: session })).status).to.equal(200);
    });

    it(`deliver a pack that verifies (${program})`, async () => {
      await call(proxies[program], 'run_eval', { taskId: 'probe' });
      const pack = await proxies[program].ask('/evidence/export?from=30d', { headers: WITH_KEY });
      expect([pack.status, pack.headers['content-type']]).to.deep.equal([200, 'application/zip']);
      const run = await w.run(['verify', w.file(`${program}.zip`, pack.bytes)]);
      expect(run.code, run.stdout + run.stderr).to.equal(0);
    });
  }

  it('pass on events as they come, and keep streams over which nothing comes for longer than a minute', async () => {
    const streams = await Promise.all(PROGRAMS.map((program) => stream(proxies[program], 'canaries&topic=metrics')));
    const { canaryId: first } = await start(proxies.nginx, 12);
    // It is not decided yet: nothing of it waits in a buffer.
    await until(() => streams.every(({ has }) => has('metric', first)));
    const { status } = await call(proxies.caddy, 'canary_status', { canaryId: first });
    expect(status).to.equal('RUNNING');
    await until(() => streams.every(({ has }) => has('promoted', first)));
    expect(await call(proxies.caddy, 'why_math', { id: first })).to.include({ id: first });

    // Not even a heartbeat comes from a process that is stopped.
    daemon.child.kill('SIGSTOP');
    await wait(SILENT_SECONDS * 1000);
    daemon.child.kill('SIGCONT');
    expect(streams.map(({ state }) => state.over)).to.deep.equal([false, false]);
    const { canaryId: second } = await start(proxies.nginx, 6);
    await until(() => streams.every(({ has }) => has('metric', second)));
    for (const each of streams) each.close();
  });

  it(`carry ${MANY} streams at once, each with every event (nginx)`, async () => {
    const streams = await Promise.all(Array.from({ length: MANY }, () => stream(proxies.nginx, 'canaries')));
    try {
      const { canaryId } = await start(proxies.nginx, 4);
      await until(() => streams.every(({ has }) => has('promoted', canaryId)), 100);
      for (const { has, state } of streams) expect([has('started', canaryId), state.over]).to.deep.equal([true, false]);
      const metrics = (await proxies.nginx.ask('/metrics', { headers: WITH_KEY })).bytes.toString();
      expect(Number(/^lukhas_sse_clients (\d+)$/m.exec(metrics)?.[1])).to.be.at.least(MANY);
      expect(metrics).to.match(/^lukhas_sse_clients_dropped_total 0$/m);
    } finally {
      for (const each of streams) each.close();
    }
  });

  it('let a person sign in to the cockpit, and see what happens', async () => {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', `--host-resolver-rules=MAP ${NAME} 127.0.0.1`],
    });
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(`${proxies.nginx.origin}/`);
      await page.locator('input[type=password]').fill(KEY);
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: 'fraud-v2' }).first().waitFor();
      const { canaryId } = await start(proxies.nginx, 5);
      await page.goto(`${proxies.nginx.origin}/cockpit.html#/canary/${canaryId}`);
      await page.locator('.badge', { hasText: 'PROMOTED' }).first().waitFor();
      expect((await context.cookies()).map(({ secure, httpOnly }) => [secure, httpOnly])).to.deep.equal([[true, true]]);
      expect(errors).to.deep.equal([]);
    } finally {
      await browser.close();
    }
  });

  it('stop whoever tries key after key, before the daemon has to (nginx)', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) {
      const headers = { Origin: proxies.nginx.origin, 'Content-Type': 'application/json' };
      const body = JSON.stringify({ key: `a-wrong-key-of-some-length-${n}` });
      statuses.push((await proxies.nginx.ask('/login', { method: 'POST', headers, body })).status);
    }
    expect(statuses).to.include(401);
    expect(statuses.slice(6)).to.deep.equal(Array(6).fill(429));
  });

  it('say so, on the same terms, where the daemon is gone', async () => {
    daemon.child.kill('SIGKILL');
    await daemon.finished;
    for (const program of PROGRAMS) {
      const { status, headers } = await proxies[program].ask('/cockpit.html');
      expect([status, headers['strict-transport-security']], program).to.deep.equal([502, HSTS]);
    }
  });
});

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { canaryId, expectNoInsides, firstLine, type Running, type RunOptions, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';

const KEY = 'a-key-of-some-length';
const POLICY = `
windowSeconds: 6
intervalSeconds: 1
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;

describe('lukhas serve', () => {
  let w: Workspace;
  let page: Page;
  before(async () => {
    page = await serve(counting(5000, 0.0005));
  });
  after(() => page.close());
  beforeEach(() => {
    w = new Workspace();
    w.file('policy.yaml', POLICY);
  });
  afterEach(() => w.remove());

  async function up(args: readonly string[] = [], options: RunOptions = {}): Promise<{ daemon: Running; url: string }> {
    const daemon = w.start(['serve', '--port', '0', ...args], options);
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on http:\S+/);
    const [, url] = /listening on (http:\/\/[\d.]+:\d+)/.exec(said) ?? [];
    return { daemon, url: url as string };
  }

  async function down({ child, finished }: Running, signal: NodeJS.Signals = 'SIGTERM') {
    child.kill(signal);
    return finished;
  }

  async function detached(): Promise<string> {
    const names = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production', '--policy', 'policy.yaml'];
    const run = await w.run(['canary', 'start', ...names, '--canary-url', page.url, '--detach']);
    expect(run.code, run.stderr).to.equal(0);
    return canaryId(run);
  }

  const stateOf = async (id: string) => (await w.json(['canary', 'status', id]))['status'];

  async function decided(id: string): Promise<unknown> {
    for (let n = 0; n < 60; n++) {
      const state = await stateOf(id);
      if (state !== 'PENDING' && state !== 'RUNNING') return state;
      await wait(250);
    }
    throw new Error(`${id} is not decided`);
  }

  async function ticks(id: string): Promise<number[]> {
    return w.read(async (ledger) => (await ledger.observations(id)).map(({ tick }) => tick));
  }

  it('takes up a canary that another command has left, decides it, and says what it did when it is told to end', async () => {
    const { daemon, url } = await up();
    const id = await detached();
    expect(await decided(id)).to.equal('PROMOTED');
    const health = (await (await fetch(`${url}/health`)).json()) as { canaries: object; status: string };
    expect(health.canaries).to.include({ PROMOTED: 1, RUNNING: 0 });
    const run = await down(daemon);
    expect([run.code, run.stdout]).to.deep.equal([143, '']);
    expect(run.stderr).to.match(/stopped: no open canaries or jobs\n$/);
    expectNoInsides(run);
    expect((await w.run(['verify'])).code).to.equal(0);
  });

  it('tells an agent how a canary stands, links to it, and what other limits would have decided', async () => {
    w.file('lukhas.yaml', 'serve: { publicUrl: "https://ops.example.com/lukhas/" }');
    const { daemon, url } = await up();
    const call = async (name: string, args: object) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
      const headers = { 'Content-Type': 'application/json' };
      const answer = await fetch(`${url}/mcp/`, { method: 'POST', headers, body });
      // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
      return ((await answer.json()) as any).result.structuredContent;
    };
    const id = await detached();
    let seen: { status: string; numbers?: { check: number; objectives: { n: number }[] } };
    do {
      await wait(100);
      seen = await call('canary_status', { canaryId: id });
    } while (seen.status === 'PENDING' || (seen.status === 'RUNNING' && (seen.numbers?.check ?? 0) < 2));
    expect(seen.status).to.equal('RUNNING');
    expect(seen.numbers?.objectives.map(({ n }) => n > 0)).to.deep.equal([true, true]);
    expect(await decided(id)).to.equal('PROMOTED');
    // Judged in a thread of the bundle's own.
    const swept = await call('what_if', {
      canaryId: id,
      sweep: { key: 'max_error_rate', values: '0.0001,0.02' },
    });
    const [strict, own] = swept.sweep.values as { outcome: string }[];
    expect(strict?.outcome).to.be.oneOf(['block', 'rollback']);
    expect(own?.outcome).to.equal('promote');
    const printed = (await w.json(['replay', '--canary', id, '--sweep', 'targets.max_error_rate=0.0001,0.02'])) as {
      sweep: { flipPoints: object[] };
    };
    expect(printed.sweep.flipPoints.map((point) => ({ ...point, path: 0 }))).to.deep.equal(
      swept.sweep.flipPoints.map((point: object) => ({ ...point, path: 0 })),
    );
    const { results } = await call('search', { query: id });
    expect(results[0].url).to.equal(`https://ops.example.com/lukhas/cockpit.html#/canary/${id}`);
    await down(daemon);
  });

  it('goes on after SIGTERM and after SIGKILL where it was: no look is lost or taken twice', async () => {
    const first = await up();
    const id = await detached();
    while ((await ticks(id)).length < 2) await wait(100);
    const run = await down(first.daemon);
    expect(run.code).to.equal(143);
    expect(run.stderr).to.contain('stopped: 1 canary continues when it is started again');
    expect(await w.read((ledger) => ledger.lease(id))).to.equal(null);
    const before = await ticks(id);

    const second = await up();
    while ((await ticks(id)).length <= before.length) await wait(100);
    await down(second.daemon, 'SIGKILL');
    const third = await up();
    expect(await decided(id)).to.equal('PROMOTED');
    const all = await ticks(id);
    expect(all).to.deep.equal(all.map((_, i) => i));
    expect((await w.events(id)).filter(({ kind }) => kind === 'canary.decided')).to.have.length(1);
    expect((await down(third.daemon, 'SIGINT')).code).to.equal(130);
  });

  it('serves metrics that promtool finds nothing to say about', async () => {
    const { url } = await up();
    const input = await (await fetch(`${url}/metrics`)).text();
    expect(execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })).to.equal('');
    expect(input).to.match(/^lukhas_build_info\{version="\d/m);
  });

  it('may run twice on one database, but not on one port', async () => {
    const { url } = await up();
    const clash = await w.run(['serve', '--port', new URL(url).port]);
    expect(clash.code).to.equal(2);
    expect(firstLine(clash)).to.equal(
      `lukhas: cannot listen on ${new URL(url).host}: the port is in use, maybe by another lukhas serve`,
    );
    await up();
    const id = await detached();
    expect(await decided(id)).to.equal('PROMOTED');
    const all = await ticks(id);
    expect(all).to.deep.equal(all.map((_, i) => i));
  });

  it('refuses what would leave it open, and does not print a key', async () => {
    const open = await w.run(['serve', '--host', '0.0.0.0', '--port', '0']);
    expect(open.code).to.equal(2);
    expect(firstLine(open)).to.contain('0.0.0.0').and.to.contain('without API keys');
    const weak = await w.run(['serve', '--port', '0'], { env: { LUKHAS_MCP_API_KEYS: `${KEY},hunter2` } });
    expect(weak.code).to.equal(2);
    expect(firstLine(weak)).to.contain('key 2 has 7 characters');
    expect(weak.stderr).to.not.contain('hunter2');
    const port = await w.run(['serve'], { env: { PORT: 'http' } });
    expect([port.code, firstLine(port)]).to.deep.equal([
      2,
      'lukhas: PORT "http": must be a port from 0 to 65535 (0: any free port)',
    ]);
    const tools = await w.run(['serve', '--port', '0', '--toolsets', 'magic']);
    expect([tools.code, firstLine(tools)]).to.deep.equal([2, 'lukhas: --toolsets: unknown toolset "magic"']);
  });

  it('takes its address from the file and the environment, the keys from the environment alone', async () => {
    w.file('lukhas.yaml', 'serve: { host: 127.0.0.1, port: 1, allowedHosts: [ops.example.com] }\n');
    const daemon = w.start(['serve'], { env: { PORT: '0', LUKHAS_MCP_API_KEYS: KEY } });
    let said = '';
    daemon.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await daemon.says(/listening on/);
    const [, url = ''] = /listening on (http:\S+?);/.exec(said) ?? [];
    expect((await fetch(`${url}/health`)).status).to.equal(401);
    expect((await fetch(`${url}/health`, { headers: { authorization: `Bearer ${KEY}` } })).status).to.equal(200);
    expect((await down(daemon)).stderr).to.not.contain(KEY);
    w.file('lukhas.yaml', 'serve: { apiKeys: [x] }\n');
    const inFile = await w.run(['serve']);
    expect(inFile.code).to.equal(2);
    expect(firstLine(inFile)).to.contain('apiKeys');
  });

  it('speaks with one client over standard input and output, and ends with it', async () => {
    const message = (id: number, method: string, params: object) =>
      `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const run = await w.run(['serve', '--stdio', '--read-only'], {
      input:
        message(1, 'initialize', hello) +
        `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n` +
        message(2, 'tools/list', {}),
    });
    expect(run.code, run.stderr).to.equal(0);
    const answers = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; result: { tools?: { name: string }[] } });
    expect(answers.map(({ id }) => id)).to.deep.equal([1, 2]);
    const tools = answers[1]?.result.tools?.map(({ name }) => name) ?? [];
    expect(tools.slice(0, 2)).to.deep.equal(['search', 'fetch']);
    expect(tools).to.not.include('start_canary');
  });

  it('measures the demo workload, which ends with it however it ends', async () => {
    const config = w.file('lukhas.yaml', 'source: { kind: scrape, canaryUrl: "http://127.0.0.1:9/metrics" }\n');
    const refused = await w.run(['serve', '--demo', '--port', '0']);
    expect([refused.code, firstLine(refused)]).to.deep.equal([
      2,
      `lukhas: The demo must not run with real settings: ${config} configures a scrape source`,
    ]);
    rmSync(config);
    const { daemon, url } = await up(['--demo', '--demo-fault', 'errors']);
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(daemon.child.pid)], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map(Number);
    expect(children).to.have.length(2);
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: {
          name: 'start_canary',
          arguments: {
            modelId: 'matriz-v3',
            fromGate: 'stage',
            toGate: 'production',
            windowSeconds: 60,
            targets: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 },
          },
        },
      }),
    });
    const { result } = (await answer.json()) as { result: { structuredContent: { canaryId: string } } };
    expect(await decided(result.structuredContent.canaryId)).to.equal('ROLLED_BACK');
    await down(daemon, 'SIGKILL');
    const alive = () =>
      children.filter((pid) => {
        try {
          return process.kill(pid, 0);
        } catch {
          return false;
        }
      });
    for (let n = 0; n < 40 && alive().length > 0; n++) await wait(50);
    expect(alive()).to.deep.equal([]);
  });
});

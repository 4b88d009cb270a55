import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { type App, openApp } from '../../src/lib/app/app.js';
import { loadConfig } from '../../src/lib/app/config.js';
import { serveSettings } from '../../src/lib/app/serve-settings.js';
import { initKeys } from '../../src/lib/app/signing-keys.js';
import { LukhasError } from '../../src/lib/errors.js';
import { finished } from '../lib/ledger/examples.js';
import { until } from '../until.js';

describe('checkpoints of the daemon', () => {
  let dir: string;
  let app: App | null = null;
  let daemon: Daemon | null = null;
  let said: string[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-daemon-'));
    said = [];
  });
  afterEach(async () => {
    await stop();
    await rm(dir, { recursive: true, force: true });
  });

  const folder = () => join(dir, 'checkpoints');
  const config = () => loadConfig({ env: { HOME: dir, LUKHAS_MCP_DB: join(dir, 'log.db') }, cwd: dir });
  async function start(readOnly = false): Promise<App> {
    app = await openApp({ config: await config() });
    daemon = await startDaemon({
      app,
      version: '1.2.3',
      http: serveSettings(app.config.serve, { port: '0' }),
      readOnly,
      say: (line) => said.push(line),
    });
    return app;
  }
  async function stop(): Promise<void> {
    await daemon?.stop();
    daemon = null;
    await app?.close();
    app = null;
  }
  const names = async () => (await readdir(folder()).catch(() => [])).sort();

  it('are made when it starts and when it stops, and told to the anchors once', async () => {
    await initKeys(await config());
    const anchor = join(dir, 'anchor');
    await writeFile(
      join(dir, 'lukhas.yaml'),
      JSON.stringify({ evidence: { anchors: [{ kind: 'file', path: anchor }] } }),
    );
    const { ledger } = await start();
    await until(async () => (await readFile(anchor, 'utf8').catch(() => '')).includes('"size":0'));
    await ledger.commit({ events: [finished('a'), finished('b')] });
    await stop();
    expect(await names()).to.deep.equal(['0', '2', 'checkpoint']);
    const lines = (await readFile(anchor, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { size: number }).size)).to.deep.equal([0, 2]);
    expect(said).to.deep.equal([]);
  });

  it('are behind as long as a target lacks the newest one, and not where there is no target', async () => {
    await initKeys(await config());
    const behind = async () => {
      const text = await (await fetch(`${daemon!.url}/metrics`)).text();
      return Number(/^lukhas_witness_behind_seconds (\S+)$/m.exec(text)?.[1]);
    };
    await start();
    await until(async () => (await names()).length > 0);
    expect(await behind()).to.equal(0);
    await stop();
    const anchors = [{ kind: 'file', path: join(dir, 'missing', 'anchor') }];
    await writeFile(join(dir, 'lukhas.yaml'), JSON.stringify({ evidence: { anchors } }));
    await start();
    await until(async () => (await behind()) > 0);
    await stop();
    // As soon as it is accepted: here, when the next daemon starts.
    await mkdir(join(dir, 'missing'));
    await start();
    await until(async () => (await readFile(join(dir, 'missing', 'anchor'), 'utf8').catch(() => '')) !== '');
    await until(async () => (await behind()) === 0);
  });

  it('are not made without a key', async () => {
    // Any other daemon makes the keys.
    await start(true);
    await stop();
    expect(await names()).to.deep.equal([]);
    expect(said).to.deep.equal([]);
  });

  it('that cannot be made are told and counted, and the daemon goes on', async () => {
    await initKeys(await config());
    const { ledger } = await start();
    await ledger.commit({ events: [finished('a'), finished('b')] });
    await stop();
    await chmod(folder(), 0o777);
    await start();
    await until(() => Promise.resolve(said.length > 0));
    expect(said[0]).to.match(/^lukhas: checkpoints: .*: other users can write to this folder/);
    const page = await (await fetch(`${daemon?.url}/metrics`)).text();
    expect(page).to.match(/^lukhas_errors_total[^\n]* [1-9]/m);
    expect((await fetch(`${daemon?.url}/healthz`)).status).to.equal(200);
  });

  it('keep it from starting on a database that was set back', async () => {
    await initKeys(await config());
    const { ledger } = await start();
    await ledger.commit({ events: [finished('a'), finished('b')] });
    await stop();
    for (const file of ['log.db', 'log.db-wal', 'log.db-shm']) await rm(join(dir, file), { force: true });
    const error = await start().catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(LukhasError).and.include({ code: 'VERIFICATION', exit: 7 });
    expect((error as LukhasError).message).to.match(/^the log has 0 entries, but 2 were signed in /);
  });
});

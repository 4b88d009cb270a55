import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Config, loadConfig } from '../../../../src/lib/app/config.js';
import type { Check } from '../../../../src/lib/app/doctor/check.js';
import { offsetFrom, watchClock } from '../../../../src/lib/app/doctor/clock.js';
import { configurationChecks, policyChecks } from '../../../../src/lib/app/doctor/configuration.js';
import { daemonCheck } from '../../../../src/lib/app/doctor/daemon.js';
import { databaseChecks } from '../../../../src/lib/app/doctor/database.js';
import { keyChecks } from '../../../../src/lib/app/doctor/keys.js';
import { hookChecks, taskChecks } from '../../../../src/lib/app/doctor/programs.js';
import { initKeys } from '../../../../src/lib/app/signing-keys.js';
import { systemClock } from '../../../../src/lib/clock.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/index.js';

describe('the self-check', () => {
  let folder: string;
  const clock = systemClock();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lukhas-doctor-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const configured = (yaml = '{}'): Promise<Config> => {
    writeFileSync(join(folder, 'lukhas.yaml'), yaml);
    return loadConfig({ cwd: folder, env: { HOME: join(folder, 'home') } });
  };
  const shown = (checks: readonly Omit<Check, 'name'>[]): string[] =>
    checks.map(({ state, detail }) => `${state}: ${detail.replaceAll(folder, '')}`);

  describe('of a database', () => {
    const made = async (): Promise<Config> => {
      const config = await configured();
      const ledger = await openLedger(config.dbPath);
      const by = { who: 'ana', how: 'os-user' } as const;
      await ledger.commit({
        events: [
          {
            kind: 'gate.changed',
            subject: 'gate:stage',
            ts: new Date().toISOString(),
            data: { gate: 'stage', modelId: 'm', previous: null, canaryId: null, by },
          },
        ],
      });
      await ledger.close();
      return config;
    };

    it('that is not there says that it will be made, and makes nothing', async () => {
      const found = shown(await databaseChecks(await configured(), clock));
      expect(found[0]).to.equal('ok: /.lukhas/lukhas.db: not there yet; the first canary creates it');
      expect(() => readFileSync(join(folder, '.lukhas', 'lukhas.db'))).to.throw(/ENOENT/);
    });

    it('that is sound says so', async () => {
      const found = shown(await databaseChecks(await made(), clock));
      expect(found).to.include.members([
        'ok: /.lukhas/lukhas.db: 1 log entries, schema as it should be',
        'ok: quick check of its pages found nothing wrong',
        'ok: may be written to by this account',
        'ok: no checkpoint was signed yet',
      ]);
      expect(found.filter((line) => !line.startsWith('ok'))).to.deep.equal([]);
    });

    it('whose pages are damaged fails', async () => {
      const config = await made();
      const bytes = readFileSync(config.dbPath);
      // The second page and all after it, not the header with the schema's page.
      bytes.fill(0xff, 3 * 4096, 6 * 4096);
      writeFileSync(config.dbPath, bytes);
      const found = await databaseChecks(config, clock).catch((error: { code: string }) => [
        { ...error, state: 'fail' },
      ]);
      expect(found.map(({ code }) => code)).to.include('LEDGER_CORRUPT');
    });

    it('that others may write to, or whose newest entry is in the future, is worth a look', async () => {
      const config = await made();
      chmodSync(config.dbPath, 0o666);
      expect(shown(await databaseChecks(config, clock))).to.include(
        'warn: /.lukhas/lukhas.db: other accounts may write to it',
      );
      const early = { ...clock, now: () => clock.now() - 3_600_000 };
      expect(shown(await databaseChecks(config, early)).join('\n')).to.match(
        /warn: its newest entry is 3,\d+ s ahead of this clock/,
      );
    });
  });

  describe('of clocks', () => {
    let server: Server;
    const listening = async (handler: RequestListener): Promise<string> => {
      server = createServer(handler);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    afterEach(() => {
      server?.closeAllConnections();
      server?.close();
    });

    it('notices a wall clock that is stepped', () => {
      let [wall, monotonic] = [1_000_000, 5_000];
      const over = watchClock({ monotonic: () => monotonic }, () => wall);
      monotonic += 2_000;
      wall += 2_000;
      expect(over().state).to.equal('ok');
      wall += 60_000;
      expect(over()).to.include({ state: 'warn', detail: 'was stepped by 60000 ms while this ran' });
    });

    it('compares with the date of an answer, whatever else it is', async () => {
      let offset = 0;
      const url = await listening((_, response) => {
        response.setHeader('date', new Date(Date.now() + offset).toUTCString());
        response.writeHead(401).end();
      });
      expect((await offsetFrom(`${url}/metrics`, clock, 4000)).state).to.equal('ok');
      offset = 120_000;
      expect((await offsetFrom(`${url}/metrics`, clock, 4000)).detail).to.match(/^is 1(19|20) s behind that of 127/);
      offset = -120_000;
      expect((await offsetFrom(`${url}/metrics`, clock, 4000)).detail).to.match(
        /^is 1(19|20|21) s ahead of that of 127/,
      );
    });

    it('says nothing of a source that does not answer', async () => {
      expect((await offsetFrom('http://127.0.0.1:1/metrics', clock, 4000)).state).to.equal('skip');
    });

    it('tells a daemon of this version from another, and from something else', async () => {
      let health: object | null = { server: 'lukhas', version: '1.2.3', status: 'ok' };
      const url = await listening((request, response) => {
        if (health === null) response.writeHead(404).end();
        else response.end(JSON.stringify(request.url === '/healthz' ? { status: 'ok' } : health));
      });
      const serve = { apiKeys: ['secret'], port: Number(new URL(url).port) };
      const check = async () => daemonCheck({ ...(await configured()), serve }, '1.2.3', 4000);
      expect((await check()).state).to.equal('ok');
      health = { server: 'lukhas', version: '1.0.0', status: 'ok' };
      expect((await check()).detail).to.match(/is lukhas 1\.0\.0, this is 1\.2\.3$/);
      health = null;
      expect((await check()).detail).to.match(/answers, but not as lukhas does \(404\)$/);
      server.close();
      server.closeAllConnections();
      expect((await check()).state).to.equal('skip');
    });
  });

  it('of a configuration lists the sections that a file has, and credentials in none of their own', async () => {
    const source = '{ kind: scrape, canaryUrl: "http://127.0.0.1:1/metrics", bearerEnv: NOT_SET }';
    const found = configurationChecks(await configured(`source: ${source}\n`));
    expect(shown(found)).to.deep.equal([
      'ok: /lukhas.yaml: source',
      'fail: source: its credentials are in NOT_SET, not set in the environment',
    ]);
  });

  it('of a policy calls valid what is enough for much traffic, and worth a look what never is', async () => {
    const file = join(folder, 'slo.yaml');
    const checked = async (policy: string) => {
      writeFileSync(file, policy);
      return (await policyChecks(file)).map(({ state, detail }) => `${state}: ${/valid|not enough/.exec(detail)?.[0]}`);
    };
    expect(await checked('windowSeconds: 120\ntargets: { max_error_rate: 0.02 }\n')).to.deep.equal([
      'ok: valid',
      'skip: not enough',
    ]);
    expect(await checked('windowSeconds: 10\ntargets: { max_error_rate: 0.001 }\n')).to.contain('warn: not enough');
  });

  it('of keys finds those that are missing, and those that others may read', async () => {
    const config = await configured();
    expect((await keyChecks(config)).map(({ state, advice }) => [state, advice])).to.deep.equal([
      ['warn', 'Create them: lukhas keys init'],
    ]);
    await initKeys(config);
    expect((await keyChecks(config)).map(({ state }) => state)).to.deep.equal(['ok', 'ok']);
    chmodSync(config.keys.log, 0o644);
    const [found] = (await keyChecks(config)).filter(({ state }) => state === 'fail');
    expect(found?.detail).to.match(/other users may read this private key/);
    rmSync(config.keys.log);
    expect((await keyChecks(config)).map(({ state }) => state)).to.deep.equal(['warn', 'ok']);
  });

  it('of hooks and tasks finds programs that could not be started', async () => {
    mkdirSync(join(folder, 'home'));
    const config = await configured(
      'hooks: { promote: [{ exec: { command: [./gone.sh] } }], rollback: [{ exec: { command: [/bin/true] } }] }\n' +
        'tasks: { fine: { command: [/bin/true] }, broken: { command: [./gone.sh] }, given: { command: ["./{configId}"] } }\n',
    );
    expect(shown(await hookChecks(config))).to.deep.equal([
      'fail: /lukhas.yaml: hook "gone.sh" (promote): command not found: "./gone.sh" (/gone.sh)',
    ]);
    expect(shown(await taskChecks(config))).to.deep.equal([
      'fail: /lukhas.yaml: task broken: command not found: "./gone.sh" (/gone.sh)',
    ]);
    expect((await hookChecks(await configured())).map(({ state }) => state)).to.deep.equal(['skip']);
  });
});

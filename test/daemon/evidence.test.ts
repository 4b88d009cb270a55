import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { type App, openApp } from '../../src/lib/app/app.js';
import { loadConfig } from '../../src/lib/app/config.js';
import { serveSettings } from '../../src/lib/app/serve-settings.js';
import { verifyPack } from '../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../src/lib/evidence/verify/zip.js';
import { finished } from '../lib/ledger/examples.js';

describe('GET /evidence/export', () => {
  let dir: string;
  let app: App;
  let daemon: Daemon;
  let url: string;
  let said: string[];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-evidence-'));
    said = [];
    const config = await loadConfig({ env: { HOME: dir, LUKHAS_MCP_DB: join(dir, 'log.db') }, cwd: dir });
    app = await openApp({ config });
    const http = serveSettings(config.serve, { port: '0' });
    daemon = await startDaemon({ app, version: '1.2.3', http, readOnly: false, say: (line) => said.push(line) });
    url = `${daemon.url}/evidence/export`;
  });
  afterEach(async () => {
    await daemon.stop();
    await app.close();
    await rm(dir, { recursive: true, force: true });
  });

  const fill = async (events: number) => {
    const drafts = Array.from({ length: events }, (_, i) => finished(`c-${i}`, i));
    await app.ledger.commit({ events: drafts });
  };
  const from = 'from=2020-01-01T00:00:00Z';
  const failures = async () => {
    const text = await (await fetch(`${daemon.url}/metrics`)).text();
    return Number(/^lukhas_export_failures_total (\d+)$/m.exec(text)?.[1]);
  };
  const status = async (query: string) => {
    const response = await fetch(`${url}?${query}`);
    return [response.status, await response.text()] as const;
  };
  /** Goes away after the first bytes, without ever taking more. */
  const goAway = () =>
    new Promise<void>((resolve, reject) => {
      const request = get(`${url}?${from}`, (response) => {
        response.once('data', () => {
          response.pause();
          setTimeout(() => request.destroy(), 50);
        });
        response.once('error', () => resolve());
        response.once('close', () => resolve());
      });
      request.once('error', reject);
    });

  it('gives a pack that verifies, with a name, and the same bytes the next time', async () => {
    await fill(20);
    const answer = await fetch(`${url}?${from}`);
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-type')).to.equal('application/zip');
    expect(answer.headers.get('content-disposition')).to.equal('attachment; filename="lukhas-evidence-0-20.zip"');
    const bytes = Buffer.from(await answer.arrayBuffer());
    await writeFile(join(dir, 'pack.zip'), bytes);
    const pack = await ZippedPack.open(join(dir, 'pack.zip'));
    const { problems } = await verifyPack(pack, { trust: null }).finally(() => pack.close());
    expect(problems).to.deep.equal([]);
    expect(Buffer.from(await (await fetch(`${url}?${from}`)).arrayBuffer()).equals(bytes)).to.equal(true);
    expect(said).to.have.lengthOf(1);
    expect(said[0]).to.match(/created keys .*log\.pem, .*export\.pem$/);
    const head = await fetch(`${url}?${from}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).to.deep.equal([200, 'application/zip']);
    expect(await failures()).to.equal(0);
  });

  it('makes no keys: a daemon that only reads, or may not make them, has none to sign with', async () => {
    await fill(3);
    await daemon.stop();
    await rm(join(dir, 'keys'), { recursive: true });
    said = [];
    const http = serveSettings(app.config.serve, { port: '0' });
    daemon = await startDaemon({ app, version: '1.2.3', http, readOnly: true, say: (line) => said.push(line) });
    url = `${daemon.url}/evidence/export`;
    const [code, text] = await status(from);
    expect(code).to.equal(409);
    expect(text).to.contain('lukhas keys init');
    expect(await readdir(dir)).not.to.include('keys');
    expect([said, await failures()]).to.deep.equal([[], 0]);
    await writeFile(join(dir, 'keys'), 'a file where the folder belongs');
    await daemon.stop();
    daemon = await startDaemon({ app, version: '1.2.3', http, readOnly: false, say: (line) => said.push(line) });
    expect(said).to.have.lengthOf(1);
    expect(said[0]).to.match(/^lukhas: keys: /);
    expect((await fetch(`${daemon.url}/evidence/export?${from}`)).status).to.equal(409);
  });

  it('says what is wrong with a request, which is no failure of the export', async () => {
    expect(await status(from)).to.satisfy(([code, text]: [number, string]) => code === 409 && text.includes('empty'));
    await fill(1);
    for (const query of [
      '',
      'from=',
      'from=1d&from=2d',
      'from=yesterday',
      'from=999999999d',
      'from=2026-02-31T00:00:00Z',
      `${from}&modle=x`,
      `${from}&include=cats`,
    ]) {
      const [code, text] = await status(query);
      expect(code, `${query}: ${text}`).to.equal(400);
    }
    expect(await failures()).to.equal(0);
  });

  it('records and counts a client that goes away in the middle, and goes on', async () => {
    // More than what the sockets between them hold.
    await app.ledger.commit({ events: Array.from({ length: 3000 }, (_, i) => noisy(i)) });
    await goAway();
    for (let n = 0; n < 100 && (await failures()) === 0; n++) await wait(20);
    expect(await failures()).to.equal(1);
    const events = await app.ledger.events({ subject: 'evidence' });
    expect(events.map(({ kind }) => kind)).to.deep.equal(['evidence.failed']);
    expect(events[0]?.data).to.include({ from: 0, to: 3000, reason: 'interrupted' });
    expect((await status(from))[0]).to.equal(200);
  });

  it('writes one at a time, lets one wait, and asks the others to come again', async () => {
    await fill(2000);
    const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(`${url}?${from}`)));
    const codes = answers.map(({ status: code }) => code).sort();
    expect(codes).to.deep.equal([200, 200, 429, 429, 429]);
    const busy = answers.find(({ status: code }) => code === 429);
    expect(Number(busy?.headers.get('retry-after'))).to.be.greaterThan(0);
    await Promise.all(answers.map((answer) => answer.arrayBuffer()));
    expect((await status(from))[0]).to.equal(200);
  });

  /** An entry that cannot be compressed. */
  function noisy(i: number) {
    const noise = Array.from({ length: 60 }, () => Math.random().toString(36).slice(2)).join('');
    const event = finished(`c-${i}`, i);
    return { ...event, data: { ...event.data, detail: noise } } as typeof event;
  }
});

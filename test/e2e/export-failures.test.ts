import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { partialFile } from '../../src/lib/files/partial-file.js';
import type { EventData } from '../../src/lib/ledger/events.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../lib/ledger/examples.js';
import { expectNoInsides, firstLine, type Running, Workspace } from './lukhas.js';
import { SmallDisk } from './small-disk.js';

/** An export of so many takes a second or more, and more than the sockets between two processes hold. */
const ENTRIES = 60_000;
const FROM = '2020-01-01T00:00:00Z';

describe('an export that does not come to its end', () => {
  let w: Workspace;
  let failures: number;

  before(async () => {
    w = new Workspace();
    const ledger = await openLedger(w.db);
    for (let n = 0; n < ENTRIES; n += 5000)
      await ledger.commit({ events: Array.from({ length: 5000 }, (_, i) => noisy(n + i)) });
    await ledger.close();
    const run = await w.run(['keys', 'init']);
    expect(run.code, run.stderr).to.equal(0);
  });
  beforeEach(async () => {
    failures = (await failed()).length;
  });
  after(() => w.remove());

  /** An entry that can hardly be compressed. */
  function noisy(i: number) {
    const event = finished(`c-${i}`, i);
    return { ...event, data: { ...event.data, detail: randomBytes(150).toString('base64') } } as typeof event;
  }

  const exporting = (out: string, ...more: string[]) => ['export', '--from', FROM, '--out', out, ...more];
  const failed = async () => (await w.events('evidence')).filter(({ kind }) => kind === 'evidence.failed');
  /** What the log says of the one failure since the test began. */
  async function told(): Promise<EventData['evidence.failed']> {
    const all = await failed();
    expect(all).to.have.length(failures + 1);
    return all.at(-1)?.data as EventData['evidence.failed'];
  }
  const partial = () => readdirSync(w.dir).filter((name) => /^\.lukhas-.*\.tmp$/.test(name));

  /** An export of which a good part is written, and not all. */
  async function underWay(out: string): Promise<Running> {
    const running = w.start(exporting(out));
    let over = false;
    void running.finished.then(() => {
      over = true;
    });
    const own = (name: string) => name.includes(`+${running.child.pid}+`);
    while (!partial().some((name) => own(name) && statSync(join(w.dir, name)).size > 1 << 20)) {
      if (over) throw new Error(`it ended: ${(await running.finished).stderr}`);
      await wait(5);
    }
    return running;
  }

  async function isWhole(path: string): Promise<void> {
    const verified = await w.run(['verify', path]);
    expect(verified.code, verified.stdout + verified.stderr).to.equal(0);
  }

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`by ${signal} leaves no file, and is in the log`, async () => {
      const running = await underWay(`${signal}.zip`);
      running.child.kill(signal);
      const run = await running.finished;
      expect(run.code, run.stderr).to.equal(code);
      expect(firstLine(run)).to.equal(`lukhas: interrupted; nothing was written to ${signal}.zip`);
      expect(readdirSync(w.dir).filter((name) => name.includes(signal))).to.deep.equal([]);
      expect(partial()).to.deep.equal([]);
      const { reason, from, to, message } = await told();
      expect({ reason, from, message }).to.deep.equal({
        reason: 'interrupted',
        from: 0,
        message: `interrupted by ${signal}`,
      });
      expect(to).to.be.at.least(ENTRIES);
    });

  it('by a signal while a witness keeps it waiting does not wait on', async () => {
    const silent = createServer();
    const asked = once(silent, 'request');
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const witnesses = [{ url, vkey: 'witness.example.com+585f8f53+BLbutNUuwt83LA+sFikSXf9k4HIUcYkWaJad2gEuZB52' }];
      const config = w.file('witness.json', JSON.stringify({ evidence: { witnesses } }));
      const running = w.start(exporting('witnessed.zip', '--config', config));
      await asked;
      running.child.kill('SIGTERM');
      const run = await running.finished;
      expect([run.code, firstLine(run)]).to.deep.equal([
        143,
        'lukhas: interrupted; nothing was written to witnessed.zip',
      ]);
      expect((await told()).reason).to.equal('interrupted');
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it('by SIGKILL leaves the earlier pack as it was, and what it had begun to the next one, which removes it', async () => {
    // As far as it is looked at: a zip whose first file is meta.json.
    const before = `PK\u0003\u0004${' '.repeat(26)}meta.json of an earlier pack`;
    const earlier = w.file('pack.zip', before);
    const running = await underWay('pack.zip');
    running.child.kill('SIGKILL');
    expect((await running.finished).code).to.equal(null);
    expect(readFileSync(earlier, 'utf8')).to.equal(before);
    const [left = '', ...more] = partial();
    expect(more).to.deep.equal([]);
    expect(left).to.contain(`+${running.child.pid}+`);
    // That of a process that lives, however long it has been silent.
    const other = basename(partialFile(w.dir));
    writeFileSync(join(w.dir, other), '');
    const longAgo = new Date(Date.now() - 120_000);
    for (const name of [left, other]) utimesSync(join(w.dir, name), longAgo, longAgo);
    const next = await w.run(exporting('pack.zip'));
    expect(next.code, next.stderr).to.equal(0);
    expect(partial()).to.deep.equal([other]);
    await isWhole(earlier);
  });

  it('for want of space says so, leaves no file, and is in the log, which is elsewhere', async () => {
    const disk = new SmallDisk(join(w.dir, 'disk'));
    try {
      const run = await w.run(exporting('disk/pack.zip'));
      expect(run.code, run.stderr).to.equal(1);
      expect(firstLine(run)).to.equal('lukhas: --out disk/pack.zip: the pack could not be written (the disk is full)');
      expect(run.stderr).to.contain('No partial file was left.');
      expect(readdirSync(disk.dir)).to.deep.equal([]);
    } finally {
      disk.unmount();
    }
    const { reason, message } = await told();
    expect([reason, message]).to.satisfy(([r, m]: [string, string]) => r === 'error' && m.includes('the disk is full'));
  });

  describe('from the daemon', () => {
    let daemon: Running;
    let url: string;
    beforeEach(async () => {
      daemon = w.start(['serve', '--port', '0']);
      let said = '';
      daemon.child.stderr?.on('data', (text: string) => {
        said += text;
      });
      await daemon.says(/listening on http:\S+/);
      [, url = ''] = /listening on (http:\/\/[\d.]+:\d+)/.exec(said) ?? [];
    });
    afterEach(async () => {
      daemon.child.kill('SIGKILL');
      await daemon.finished;
    });

    /** Reads the first bytes, then no more. */
    const begin = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        get(`${url}/evidence/export?from=${FROM}`, (response) => {
          expect(response.statusCode).to.equal(200);
          response.once('data', () => resolve(response.pause()));
        }).once('error', reject);
      });
    const counted = async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(/^lukhas_export_failures_total (\d+)$/m.exec(text)?.[1]);
    };
    /** A whole pack, and how often /health answered while it was made. */
    async function download(): Promise<{ bytes: Buffer; health: number }> {
      let health = 0;
      let over = false;
      const asking = (async () => {
        while (!over) {
          expect((await fetch(`${url}/health`)).status).to.equal(200);
          health++;
          await wait(5);
        }
      })();
      try {
        const answer = await fetch(`${url}/evidence/export?from=${FROM}`);
        expect(answer.status).to.equal(200);
        return { bytes: Buffer.from(await answer.arrayBuffer()), health };
      } finally {
        over = true;
        await asking;
      }
    }

    it('whose client goes is in the log and counted, and holds up neither /health nor the next one', async () => {
      const response = await begin();
      response.destroy();
      while ((await counted()) === 0) await wait(20);
      expect(await counted()).to.equal(1);
      expect((await told()).reason).to.equal('interrupted');
      const { bytes, health } = await download();
      await isWhole(w.file('whole.zip', bytes));
      // About four hundred times; once or twice where an export holds everything else up.
      expect(health).to.be.above(20);
      expect(await counted()).to.equal(1);
    });

    it('that is stopped is cut off, so that nobody takes what came for a whole pack', async () => {
      const response = await begin();
      daemon.child.kill('SIGTERM');
      const run = await daemon.finished;
      expect(run.code, run.stderr).to.equal(143);
      expectNoInsides(run);
      const chunks: Buffer[] = [];
      const error = await new Promise<unknown>((resolve) => {
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => resolve(null)).once('error', resolve);
        response.resume();
      });
      expect(error).to.have.property('code', 'ECONNRESET');
      expect(response.complete).to.equal(false);
      const cut = w.file('cut.zip', Buffer.concat(chunks));
      expect(spawnSync('unzip', ['-t', cut]).status).to.not.equal(0);
      expect((await told()).reason).to.equal('interrupted');
    });
  });
});

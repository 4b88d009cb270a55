import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import Sqlite from 'better-sqlite3';
import { expect } from 'chai';
import { type Daemon, startDaemon } from '../../src/daemon/daemon.js';
import { Service } from '../../src/daemon/service.js';
import type { App } from '../../src/lib/app/app.js';
import { serveSettings } from '../../src/lib/app/serve-settings.js';
import type { EventDraft } from '../../src/lib/ledger/events.js';
import { TS } from '../lib/ledger/examples.js';
import { refusal } from '../lib/refusal.js';
import { until } from '../until.js';
import { ASKER, CANARY, callOf, openTestApp, post } from './mcp/place.js';

const ENTRIES = 3000;
/** Enough that the log is not verified before a probe has its answer. */
const MANY = 20_000;

/** Of the log itself, so that no rows of listings belong to it. */
const FAILED: EventDraft = {
  kind: 'evidence.failed',
  subject: 'evidence',
  ts: TS,
  data: { by: ASKER, from: null, to: null, reason: 'error', message: 'example' },
};

describe('verification by the daemon', () => {
  let app: App;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ app, remove } = await openTestApp());
    await fill(ENTRIES);
    idle = await threads();
  });
  afterEach(() => remove());

  const fill = (entries: number) => app.ledger.commit({ events: Array.from({ length: entries }, () => FAILED) });

  const threads = async () => (await readdir('/proc/self/task')).length;
  /** How many this process has while nothing is verified: a thread has a name for the system from Node.js 24 on only. */
  let idle = 0;
  const verifying = async () => Math.max(0, (await threads()) - idle);

  /** `done`, or the code of the error. */
  const codeOf = (verification: Promise<unknown>) =>
    verification.then(
      () => 'done',
      ({ code }: { code?: string }) => code ?? 'none',
    );

  /** Until the thread runs, or has ended before it was seen. */
  const untilSeen = async (verification: Promise<unknown>) => {
    let over = false;
    void verification.finally(() => {
      over = true;
    });
    await until(async () => over || (await verifying()) > 0);
  };

  describe('by the service', () => {
    let service: Service;

    beforeEach(() => {
      service = new Service(app);
    });
    afterEach(() => service.close());

    it('is not the work of the thread that everything else runs in', async () => {
      const [own, all] = [process.threadCpuUsage(), process.cpuUsage()];
      expect(await service.verifyLog()).to.deep.include({ ok: true, size: ENTRIES });
      const [ownNow, allNow] = [process.threadCpuUsage(own), process.cpuUsage(all)];
      expect(ownNow.user + ownNow.system).to.be.below((allNow.user + allNow.system) / 2);
    });

    it('is one run for all who ask meanwhile', async () => {
      let [most, over] = [0, false];
      const all = Promise.all([service.verifyLog(), service.verifyLog(), service.verifyLog()]).finally(() => {
        over = true;
      });
      await until(async () => {
        most = Math.max(most, await verifying());
        return over;
      });
      expect(most).to.be.at.most(1);
      const reports = await all;
      for (const report of reports) expect(report).to.equal(reports[0]);
    });

    it('is stopped when nobody waits for it: who asks later gets a report of the log as it is then', async () => {
      let size = ENTRIES;
      // Once more where it was faster than this test.
      for (let outcome = ''; outcome !== 'STOPPED'; ) {
        const gone = new AbortController();
        const first = codeOf(service.verifyLog(gone.signal));
        await untilSeen(first);
        await fill(1);
        size++;
        gone.abort();
        outcome = await first;
      }
      expect(await service.verifyLog()).to.include({ ok: true, size });
      await until(async () => (await verifying()) === 0);
    });

    it('is stopped when the daemon stops', async () => {
      for (let outcome = ''; outcome !== 'STOPPED'; ) {
        const stopped = new Service(app);
        const running = codeOf(stopped.verifyLog());
        await untilSeen(running);
        stopped.close();
        outcome = await running;
      }
      await until(async () => (await verifying()) === 0);
      service.close();
      expect(await refusal(service.verifyLog())).to.include({ code: 'STOPPED' });
    });

    it('reports what is wrong with the log, and refuses a file that is no log with the code of its own', async () => {
      const db = new Sqlite(app.config.dbPath);
      db.exec("DROP TRIGGER events_no_update; UPDATE events SET ts = 'x' WHERE seq = 7");
      db.close();
      const { ok, firstBad } = await service.verifyLog();
      expect([ok, firstBad?.seq]).to.deep.equal([false, 7]);
      const elsewhere = new Service({ ...app, config: { ...app.config, dbPath: `${app.config.dbPath}.none` } });
      expect(await refusal(elsewhere.verifyLog())).to.include({ code: 'LEDGER_UNAVAILABLE' });
    });
  });

  describe('over HTTP', () => {
    let daemon: Daemon;
    let said: string[];

    beforeEach(async () => {
      await fill(MANY - ENTRIES);
      said = [];
      const http = serveSettings(app.config.serve, { port: '0' });
      daemon = await startDaemon({ app, version: '1.2.3', http, readOnly: false, say: (line) => said.push(line) });
    });
    afterEach(() => daemon.stop());

    it('lets probes be answered and canaries be checked before it has its answer', async () => {
      const service = new Service(app);
      const { canaryId } = await service.startCanary({ ...CANARY, dryRun: false }, ASKER);
      const checks = async () => (await app.ledger.observations(canaryId)).length;
      // Until a check fell into one of them.
      for (let checked = false; !checked; ) {
        let answered = false;
        const before = await checks();
        const call = post(`${daemon.url}/mcp`, callOf('verify_log', {})).finally(() => {
          answered = true;
        });
        const probe = await fetch(`${daemon.url}/healthz`);
        expect([probe.status, answered]).to.deep.equal([200, false]);
        await until(async () => answered || (await checks()) > before);
        checked = !answered;
        expect((await call).json.result.structuredContent).to.include({ ok: true });
      }
      service.close();
    });

    it('ends when its client disconnects, which is not an error of the daemon', async () => {
      let over = false;
      const sent = request(`${daemon.url}/mcp`, { method: 'POST', headers: { 'Content-Type': 'application/json' } });
      sent.on('error', () => undefined).end(JSON.stringify(callOf('verify_log', {})));
      sent.once('response', () => {
        over = true;
      });
      await until(async () => over || (await verifying()) > 0);
      sent.destroy();
      await until(async () => (await verifying()) === 0);
      const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
      expect(/^lukhas_errors_total (\d+)$/m.exec(metrics)?.[1]).to.equal('0');
      expect(said.filter((line) => !line.includes('created keys'))).to.deep.equal([]);
    });
  });
});

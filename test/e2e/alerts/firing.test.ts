import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../../lib/ledger/examples.js';
import { until } from '../../until.js';
import { announcedId, canaryId, type Running, Workspace } from '../lukhas.js';
import { counting, type Page, serve } from '../metrics-page.js';
import { Prometheus } from '../prometheus.js';
import { SmallDisk } from '../small-disk.js';
import { Alertmanager, type Received } from './alertmanager.js';
import { RULES_FILE, shippedRules, shortened } from './rules.js';

const POLICY = { windowSeconds: 120, intervalSeconds: 1, targets: { max_error_rate: 0.02 } };
const NAMES = ['--from', 'stage', '--to', 'production', '--allow-missing', '--allow-shared-series'];
/** More than the kernel takes for a client that does not read, and more than it may be behind. */
const FLOOD = { events: 15_000, detail: 'x'.repeat(1500) };
/** No backup is made here. */
const BACKUP = 'LukhasBackupOld';

describe('faults of a real daemon, seen by a real Prometheus', () => {
  let w: Workspace;
  let full: Workspace;
  let disk: SmallDisk;
  let page: Page;
  let bad: Page;
  let gone: Page;
  let daemon: Running;
  let fullDaemon: Running | undefined;
  let url: string;
  /** A canary whose hook failed. */
  let rolledBack: string;
  let fullUrl: string;
  let fullDb: string;
  let prometheus: Prometheus;
  let alertmanager: Alertmanager;

  before(async () => {
    [page, bad, gone] = (await Promise.all([counting(2000), counting(2000, 0.5), counting(2000)].map(serve))) as [
      Page,
      Page,
      Page,
    ];
    w = new Workspace();
    w.file('policy.json', JSON.stringify(POLICY));
    w.file('short.json', JSON.stringify({ ...POLICY, windowSeconds: 3 }));
    w.file('held.json', JSON.stringify({ ...POLICY, noDataSeconds: 1, onNoData: 'hold' }));
    w.file('blind.json', JSON.stringify({ ...POLICY, noDataSeconds: 2 }));
    w.file('asked.json', JSON.stringify({ ...POLICY, windowSeconds: 2, approvals: { required: 1 } }));
    w.file(
      'lukhas.yaml',
      JSON.stringify({ hooks: { rollback: [{ name: 'shift', exec: { command: ['/bin/false'] } }] } }),
    );
    ({ daemon, url } = await up(w));
    full = new Workspace();
    disk = new SmallDisk(join(full.dir, 'disk'));
    // Nothing listens there.
    full.file(
      'lukhas.yaml',
      JSON.stringify({ evidence: { anchors: [{ kind: 'webhook', url: 'http://127.0.0.1:9/' }] } }),
    );
    full.file('policy.json', JSON.stringify(POLICY));
    fullDb = join(disk.dir, 'lukhas.db');
    ({ daemon: fullDaemon, url: fullUrl } = await up(full, { LUKHAS_MCP_DB: fullDb }));
    alertmanager = await Alertmanager.start();
    const rules = w.file('lukhas.rules.yml', shortened(readFileSync(RULES_FILE, 'utf8')));
    const jobs = [{ name: 'lukhas', everySeconds: 1, urls: [url, fullUrl] }];
    const alerting = { alertmanagers: [{ static_configs: [{ targets: [alertmanager.address] }] }] };
    prometheus = await Prometheus.start('prometheus', [], jobs, { rule_files: [rules], alerting });
  });
  after(async () => {
    await prometheus?.stop();
    await alertmanager?.stop();
    await w?.remove();
    fullDaemon?.child.kill('SIGKILL');
    await fullDaemon?.finished;
    disk?.unmount();
    await full?.remove();
    await Promise.all([page, bad, gone].map((each) => each?.close()));
  });

  async function up(at: Workspace, env: Record<string, string> = {}): Promise<{ daemon: Running; url: string }> {
    const running = at.start(['serve', '--port', '0'], { env });
    let said = '';
    running.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await running.says(/listening on http:\S+/);
    return { daemon: running, url: /listening on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1] as string };
  }

  const starting = (model: string, policy: string, of: Page, ...more: string[]) => [
    ...['canary', 'start', '--model', model, ...NAMES, '--policy', policy, '--canary-url', of.url, ...more],
  ];
  async function detached(model: string, policy: string, of: Page): Promise<string> {
    const run = await w.run(starting(model, policy, of, '--detach'));
    expect(run.code, run.stderr).to.equal(0);
    return canaryId(run);
  }

  const firing = (instance: string) =>
    alertmanager.received.filter(
      ({ status, labels }) => status === 'firing' && labels['instance'] === new URL(instance).host,
    );
  /** Waits until Alertmanager has passed it on. */
  async function received(alertname: string, instance = url): Promise<Received> {
    const found = () => firing(instance).find(({ labels }) => labels['alertname'] === alertname);
    await until(() => found() !== undefined, 100);
    return found() as Received;
  }

  it('fire for a checkpoint that nobody accepts, and for a disk that is nearly full and then is full', async () => {
    expect((await received('LukhasWitnessBehind', fullUrl)).annotations['summary']).to.match(
      /^A witness or anchor has been missing/,
    );
    const { labels, annotations } = await received('LukhasDiskNearlyFull', fullUrl);
    expect(labels).to.include({ severity: 'critical', job: 'lukhas' });
    expect(annotations['runbook_url']).to.equal('docs/runbooks/disk-nearly-full.md');
    // Of the daemon where nothing is wrong, nothing came meanwhile, but what is true of the machine.
    const machine = ['LukhasDiskNearlyFull', BACKUP];
    const quiet = firing(url).filter(({ labels: of }) => !machine.includes(of['alertname'] ?? ''));
    expect(quiet).to.deep.equal([]);
    const run = await full.run(starting('m-full', 'policy.json', page, '--detach'), { env: { LUKHAS_MCP_DB: fullDb } });
    expect(run.code, run.stderr).to.equal(0);
    await until(async () => /RUNNING"} 1$/m.test(await (await fetch(`${fullUrl}/metrics`)).text()), 100);
    disk.fill();
    await received('LukhasInternalErrors', fullUrl);
    disk.free();
  });

  it('fire for canaries without metrics, while they go on and when they are ended for it', async () => {
    const held = await detached('m-held', 'held.json', gone);
    await detached('m-blind', 'blind.json', gone);
    await until(async () => (await w.read((ledger) => ledger.observations(held))).length >= 2);
    await gone.close();
    expect((await received('LukhasNoReadings')).annotations['summary']).to.match(/^No metrics for a canary for \d/);
    await received('LukhasBlockedWithoutMetrics');
    expect((await w.run(['canary', 'abort', held, '--reason', 'seen'])).code).to.equal(0);
  });

  it('fire for a rollback hook that fails', async () => {
    rolledBack = await detached('m-bad', 'policy.json', bad);
    const { labels } = await received('LukhasHookFailed');
    expect(labels).to.include({ action: 'rollback', severity: 'critical' });
  });

  it('fire for a canary whose driver stands still past its window', async () => {
    const driver = w.start(starting('m-stuck', 'short.json', page));
    let said = '';
    driver.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await until(() => announcedId(said) !== null);
    const id = announcedId(said) as string;
    await until(async () => (await w.events(id)).some(({ kind }) => kind === 'canary.started'));
    driver.child.kill('SIGSTOP');
    expect((await received('LukhasCanaryStuck')).annotations['summary']).to.match(/^A canary is still RUNNING \d/);
    driver.child.kill('SIGCONT');
    await driver.finished;
  });

  it('fire for checks that come late', async () => {
    await detached('m-late', 'policy.json', page);
    await wait(3000);
    daemon.child.kill('SIGSTOP');
    await wait(4000);
    daemon.child.kill('SIGCONT');
    await received('LukhasTicksLate');
  });

  it('fire for a promotion by break-glass', async () => {
    const id = await detached('m-forced', 'asked.json', page);
    const blocked = async () => (await w.json(['canary', 'status', id]))['status'] === 'BLOCKED';
    await until(blocked, 200);
    const reason = 'the old version refuses every payment';
    const run = await w.run(['canary', 'promote', id, '--break-glass', '--reason', reason]);
    expect(run.code, run.stderr).to.equal(0);
    expect((await received('LukhasBreakGlassUnreviewed')).annotations['summary']).to.match(/^1 break-glass promotion/);
  });

  it('fire for clients of the stream that do not read, and for a pack that nobody received', async () => {
    const deaf = await Promise.all(Array.from({ length: 3 }, () => silent(new URL(url))));
    const ledger = await openLedger(w.db);
    for (let n = 0; n < FLOOD.events; n += 1000)
      await ledger.commit({ events: Array.from({ length: 1000 }, (_, i) => large(n + i)) });
    await ledger.close();
    expect((await received('LukhasStreamDrops')).annotations['summary']).to.match(/% of the event stream clients/);
    for (const socket of deaf) socket.destroy();

    const pack = new AbortController();
    const answer = await fetch(`${url}/evidence/export?from=30d`, { signal: pack.signal });
    expect(answer.status).to.equal(200);
    pack.abort();
    await received('LukhasExportFailed');
  });

  it('fire for a log that somebody changed', async () => {
    const db = new Database(w.db);
    const guard = db.prepare("SELECT name, sql FROM sqlite_master WHERE name = 'events_no_update'").get() as {
      name: string;
      sql: string;
    };
    db.exec('DROP TRIGGER events_no_update');
    db.exec("UPDATE events SET body = replace(body, 'm-held', 'm-good') WHERE kind = 'canary.requested'");
    db.exec(guard.sql);
    db.close();
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'verify_log', arguments: {} } };
    const headers = { 'Content-Type': 'application/json' };
    await fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(call) });
    expect((await received('LukhasVerificationFailed')).labels['severity']).to.equal('critical');
  });

  it('fire for a daemon that is gone, and end when it is back', async () => {
    const { port } = new URL(url);
    daemon.child.kill('SIGKILL');
    await daemon.finished;
    await received('LukhasDown');
    const names = new Set([...firing(url), ...firing(fullUrl)].map(({ labels }) => labels['alertname']));
    const all = shippedRules().map(({ alert }) => alert);
    expect(all.filter((alert) => !names.has(alert) && alert !== BACKUP)).to.deep.equal([]);

    // In a database of its own: the other one was changed.
    const fresh = new Workspace();
    try {
      await fresh.start(['serve', '--port', port]).says(/listening/);
      const over = () =>
        alertmanager.received.some(
          ({ status, labels }) => status === 'resolved' && labels['alertname'] === 'LukhasDown',
        );
      await until(over, 100);
    } finally {
      await fresh.remove();
    }
  });

  function large(i: number) {
    const event = finished(rolledBack, i);
    return { ...event, data: { ...event.data, detail: FLOOD.detail } } as typeof event;
  }
});

/** Opens a stream, and reads no more of it than that it was opened. */
async function silent({ hostname, port }: URL): Promise<Socket> {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(`GET /sse?topic=canaries HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  await once(socket, 'data');
  return socket.pause();
}

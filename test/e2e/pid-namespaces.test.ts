import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { systemClock } from '../../src/lib/clock.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { type ProcessIdentity, parseProcess, thisProcess } from '../../src/lib/process/identity.js';
import { ROOT, type Running, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';

const POLICY = `
windowSeconds: 600
intervalSeconds: 1
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;
const CONFIG = `
tasks: { long: { command: [sleep, "600"], timeout: 900s } }
`;
/** What is left of the lease of a process that was killed: soon enough for a test, late enough to be seen. */
const LEFT_MS = 3000;

describe('two processes with one host name and one pid, in two pid namespaces', () => {
  let w: Workspace;
  let page: Page;
  before(async () => {
    page = await serve(counting(500));
  });
  beforeEach(() => {
    w = new Workspace();
    w.file('policy.yaml', POLICY);
    w.file('lukhas.yaml', CONFIG);
  });
  afterEach(() => w.remove());
  after(() => page.close());

  const held = async (subject: string) =>
    (await w.read((ledger) => ledger.lease(subject))) ?? expect.fail(`${subject} has no lease`);
  const whoHolds = async (subject: string): Promise<ProcessIdentity> => {
    const { holder } = await held(subject);
    return parseProcess(holder.split(':')[0] ?? '') ?? expect.fail(`not the identity of a process: ${holder}`);
  };
  const lastTick = async (id: string) => (await w.read((ledger) => ledger.observations(id))).at(-1)?.tick ?? -1;
  /** Ends with the test's own time limit. */
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await wait(50);
  }
  async function started(args: readonly string[], id: RegExp): Promise<{ running: Running; subject: string }> {
    const running = w.startApart(args);
    let subject = '';
    await until(async () => {
      subject = (await w.events().catch(() => [])).find((event) => id.test(event.subject))?.subject ?? '';
      return subject !== '' && (await w.read((ledger) => ledger.lease(subject))) !== null;
    });
    return { running, subject };
  }
  async function daemon(): Promise<void> {
    await w.startApart(['serve', '--port', '0']).says(/http:/);
  }
  /** @returns when its lease ends, ms since the epoch */
  async function killed({ running, subject }: { running: Running; subject: string }): Promise<number> {
    running.child.kill('SIGKILL');
    await running.finished;
    const { holder } = await held(subject);
    // Who is dead renews nothing: this is not later than it would have been.
    const ledger = await openLedger(w.db);
    await ledger.acquireLease(subject, holder, systemClock(), LEFT_MS);
    await ledger.close();
    return (await held(subject)).expiresAt;
  }

  it('leave a canary to the one that drives it, and go on with it when that was killed and its lease has lapsed', async () => {
    const names = ['--model', 'fraud-v2', '--from', 'stage', '--to', 'production'];
    const first = await started(
      ['canary', 'start', ...names, '--policy', 'policy.yaml', '--canary-url', page.url],
      /^c-/,
    );
    const driver = await whoHolds(first.subject);
    await daemon();
    const seen = await lastTick(first.subject);
    await until(async () => (await lastTick(first.subject)) >= seen + 3);
    expect(await whoHolds(first.subject)).to.deep.equal(driver);

    const lapses = await killed(first);
    const before = await lastTick(first.subject);
    await until(async () => (await lastTick(first.subject)) > before);
    const next = await w.read((ledger) => ledger.observations(first.subject));
    expect(next.find(({ tick }) => tick > before)?.t).to.be.at.least(lapses);
    const { host, pid, space } = await whoHolds(first.subject);
    expect({ host, pid }).to.deep.equal({ host: driver.host, pid: driver.pid });
    expect(space).to.not.equal(driver.space);
  });

  it('leave a job to the one that runs it, and call it lost when that was killed and its lease has lapsed', async () => {
    const first = await started(['job', 'run', 'long'], /^j-/);
    const runner = await whoHolds(first.subject);
    await until(async () => (await w.events(first.subject)).some(({ kind }) => kind === 'job.running'));
    await daemon();
    // Several times as long as it took to be taken for dead.
    await wait(2000);
    expect(await whoHolds(first.subject)).to.deep.equal(runner);
    expect((await w.events(first.subject)).map(({ kind }) => kind)).to.deep.equal(['job.queued', 'job.running']);

    const lapses = await killed(first);
    await until(async () => (await w.events(first.subject)).some(({ kind }) => kind === 'job.failed'));
    const end = (await w.events(first.subject)).at(-1);
    expect(end?.data).to.include({ reason: 'lost', message: 'the process that ran it died' });
    expect(Date.parse(end?.ts ?? '')).to.be.at.least(lapses);
    expect(runner.pid).to.equal(1);
  });
});

describe('a process in a pid namespace that has no /proc of its own', () => {
  it('takes no other process for its own, and finds none to stop, but knows who is dead', () => {
    const code = `
      import { spawnSync } from 'node:child_process';
      import { lifeOf, processesWith, processMark, thisProcess } from './src/lib/process/index.js';
      const { space, startTicks } = thisProcess();
      const dead = { ...thisProcess(), pid: spawnSync('/bin/true').pid };
      const found = await processesWith('LUKHAS_JOB_ID', 'j-apart');
      console.log(JSON.stringify({ space, startTicks, mark: processMark(process.pid), found, life: lifeOf(dead) }));`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', code];
    const env = { ...process.env, LUKHAS_JOB_ID: 'j-apart' };
    const { stdout, stderr } = spawnSync('unshare', ['--pid', '--fork', ...node], { cwd: ROOT, env, encoding: 'utf8' });
    expect(stderr).to.equal('');
    const { space, ...others } = JSON.parse(stdout) as Record<string, unknown>;
    expect(space)
      .to.match(/^[0-9a-f]{16}$/)
      .and.to.not.equal(thisProcess().space);
    expect(others).to.deep.equal({ startTicks: null, mark: null, found: [], life: 'dead' });
  });
});

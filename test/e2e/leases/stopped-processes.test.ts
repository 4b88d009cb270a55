import { expect } from 'chai';
import { isAlive } from '../../lib/jobs/harness.js';
import { until } from '../../until.js';
import type { Running } from '../lukhas.js';
import { counting, type Page, serve } from '../metrics-page.js';
import { LeasePlace } from './place.js';

const POLICY = `
windowSeconds: 600
intervalSeconds: 1
targets: { latency_p95_ms: 250, max_error_rate: 0.02 }
`;

describe('a process that is stopped (SIGSTOP) for longer than its lease', () => {
  let w: LeasePlace;
  let page: Page;
  before(async () => {
    page = await serve(counting(500));
  });
  after(() => page.close());
  beforeEach(() => {
    w = new LeasePlace();
    w.file('policy.yaml', POLICY);
  });
  afterEach(() => w.remove());

  const daemon = async (apart = false) => {
    const args = ['serve', '--port', '0'];
    const running = apart ? w.startApart(args) : w.start(args);
    await running.says(/listening/);
    return running;
  };
  const stopped = async ({ child }: Running, ...leases: string[]) => {
    child.kill('SIGSTOP');
    for (const lease of leases) await w.lapsed(lease);
  };
  const holderOf = async (subject: string) => (await w.read((ledger) => ledger.lease(subject)))?.holder;
  const ticks = (id: string) => w.read(async (ledger) => (await ledger.observations(id)).map(({ tick }) => tick));

  it('loses its canary to another daemon, and commits nothing of it when it continues', async () => {
    const first = await daemon();
    const names = ['--model', 'm', '--from', 'stage', '--to', 'production', '--policy', 'policy.yaml'];
    await w.run(['canary', 'start', ...names, '--canary-url', page.url, '--detach']);
    const id = (await w.events()).find(({ kind }) => kind === 'canary.requested')?.subject ?? '';
    await until(async () => (await ticks(id)).length > 2, 50);
    const holder = await holderOf(id);
    await stopped(first, id);
    const seen = (await ticks(id)).length;
    const second = await daemon();
    await until(async () => (await ticks(id)).length > seen, 50);
    const now = await holderOf(id);
    expect(now).to.not.equal(holder);

    first.child.kill('SIGCONT');
    const then = (await ticks(id)).length;
    await until(async () => (await ticks(id)).length >= then + 3, 50);
    expect(await holderOf(id)).to.equal(now);

    // It takes the canary up again when the other one gives it back, at the tick where that one has left it.
    second.child.kill('SIGTERM');
    await second.finished;
    const left = (await ticks(id)).length;
    await until(async () => (await ticks(id)).length >= left + 2, 50);
    const all = await ticks(id);
    expect(all).to.deep.equal(all.map((_, i) => i));
    expect((await w.run(['verify'])).code).to.equal(0);
  });

  it('has its hook ended and called again by another, one after the other, and records nothing of its own call', async () => {
    const { driver, id } = await w.promoting();
    await stopped(driver, id, 'gate:production');
    const resumed = w.start(['canary', 'resume', id]);
    await until(() => w.calls().includes('begin 2'), 50);
    expect(w.calls()).to.deep.equal(['begin 1', 'stopped 1', 'begin 2']);
    driver.child.kill('SIGCONT');
    w.go(2);
    expect((await resumed.finished).code).to.equal(0);
    await driver.finished;
    expect(w.calls()).to.deep.equal(['begin 1', 'stopped 1', 'begin 2', 'end 2']);
    const acted = (await w.kinds(id)).filter((kind) => /^hook|acted/.test(kind));
    expect(acted).to.deep.equal(['hook.intended', 'hook.intended', 'hook.finished', 'canary.acted']);
    expect((await w.run(['verify'])).code).to.equal(0);
  });

  it('keeps its job, which nobody else may run', async () => {
    const first = await daemon();
    const id = await w.longJob();
    await stopped(first, id);
    await daemon();
    await w.marker();
    first.child.kill('SIGCONT');
    expect(await w.kinds(id)).to.deep.equal(['job.queued', 'job.running']);
    w.go();
    await until(async () => (await w.kinds(id)).length > 2, 50);
    expect(await w.kinds(id)).to.deep.equal(['job.queued', 'job.running', 'job.completed']);
  });

  it('stops its job and records nothing when that was given up meanwhile, in another pid namespace', async () => {
    const first = await daemon();
    const id = await w.longJob();
    await stopped(first, id);
    await daemon(true);
    await until(async () => (await w.kinds(id)).includes('job.failed'), 50);
    const [, running, end] = await w.events(id);
    expect(end?.data).to.include({ reason: 'lost' });
    const { pid } = (running as { data: { pid: number } }).data;
    expect(await isAlive(pid)).to.equal(true);
    first.child.kill('SIGCONT');
    await until(async () => !(await isAlive(pid)), 50);
    first.child.kill('SIGTERM');
    expect((await first.finished).stderr).to.match(/stopped: no open canaries or jobs/);
    expect(await w.kinds(id)).to.deep.equal(['job.queued', 'job.running', 'job.failed']);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { Jobs } from '../../../src/lib/jobs/jobs.js';
import { appendToJob } from '../../../src/lib/jobs/log.js';
import type { TasksConfig } from '../../../src/lib/jobs/task.js';
import { newHolder } from '../../../src/lib/ledger/holder.js';
import { processMark } from '../../../src/lib/process/identity.js';
import type { Job } from '../../../src/lib/readings/job.js';
import { until } from '../../until.js';
import { ACTOR, type Place, place } from '../canary/harness.js';
import { deadHolder, strangeHolder } from '../ledger/holders.js';
import { CLOCK, isAlive, kinds, program, queue, runAll, runnerOf, script } from './harness.js';

describe('runners of jobs', () => {
  let here: Place;
  let dir: string;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    here = await place();
    dir = await mkdtemp(join(tmpdir(), 'lukhas-jobs-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await here.close();
    await rm(dir, { recursive: true, force: true });
  });

  const sleeper: TasksConfig = { sleep: program(['sleep', '30']) };
  /** Appends a line for each time that it is run. */
  const counted = (more = ''): TasksConfig => ({
    count: script(`require('fs').appendFileSync(${JSON.stringify(join(dir, 'count'))}, 'x');${more}`),
  });
  const count = async () => (await readFile(join(dir, 'count'), 'utf8').catch(() => '')).length;
  const running = async (jobs: Jobs, id: string) => {
    await until(async () => (await jobs.get(id)).state === 'running');
    return jobs.get(id);
  };
  /** What a runner leaves that died: entries, a lease of a process that is no more, perhaps the program. */
  async function leaveRunning(job: Job, pid: number | null, mark: string | null): Promise<Job> {
    await here.ledger.acquireLease(job.id, deadHolder(), CLOCK.now(), 60_000);
    const data = { pid, processStartedAt: mark };
    return appendToJob(here.ledger, job, { kind: 'job.running', subject: job.id, ts: new Date().toISOString(), data });
  }

  it('run no more at a time than they may, the oldest first', async () => {
    const log = join(dir, 'log');
    // Each ends when the one after it has begun: with fewer at a time, nothing would.
    const code = `const fs = require('fs'); const log = ${JSON.stringify(log)}; const [, name] = process.argv;
      const say = (t) => fs.appendFileSync(log, t + name + ' ');
      const next = Math.min(5, 'abcde'.indexOf(name) + 2);
      say('+');
      setInterval(() => {
        if ((fs.readFileSync(log, 'utf8').match(/[+]/g) || []).length < next) return;
        say('-');
        process.exit();
      }, 10);`;
    const names = ['a', 'b', 'c', 'd', 'e'];
    const tasks = Object.fromEntries(names.map((name) => [name, script(code, {}, name)]));
    const ended = await runAll(here.ledger, tasks, names, { concurrency: 2 });
    expect(ended.map(({ state }) => state)).to.deep.equal(Array(5).fill('completed'));
    const said = (await readFile(log, 'utf8')).trim().split(' ');
    let now = 0;
    const at = said.map((word) => (now += word.startsWith('+') ? 1 : -1));
    expect(Math.max(...at)).to.equal(2);
    const order = (await here.ledger.events({ kinds: ['job.running'] })).map(({ subject }) => subject);
    expect(order).to.have.members(ended.map(({ id }) => id));
    // Of two that begin together either may be recorded first.
    for (const [i, { id }] of ended.entries()) expect(order.indexOf(id)).to.be.closeTo(i, 1);
  });

  it('take up what is queued while they run, by this process or another', async () => {
    const stop = new AbortController();
    const all = runnerOf(here.ledger, counted()).driveAll(stop.signal);
    const [mine, theirs] = [here.ledger, await here.another()].map((ledger) => new Jobs(ledger, CLOCK, counted()));
    const first = await queue(mine!, 'count');
    await until(async () => (await mine!.get(first.id)).state === 'completed');
    const second = await queue(theirs!, 'count');
    await until(async () => (await mine!.get(second.id)).state === 'completed');
    stop.abort();
    await all;
    expect(await count()).to.equal(2);
  });

  it('fail a job at once that is cancelled while it waits, and never run it', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, counted());
    const { id } = await queue(jobs, 'count');
    const job = await jobs.cancel(id, ACTOR, '  not needed ');
    expect(job.failure).to.deep.include({ reason: 'cancelled', message: 'cancelled: not needed', by: ACTOR });
    await runnerOf(here.ledger, counted()).drive([id]);
    expect(await count()).to.equal(0);
    expect(await kinds(here.ledger, id)).to.deep.equal(['job.queued', 'job.failed']);
    const again = await jobs.cancel(id, ACTOR).catch((error: unknown) => error);
    expect(again).to.have.property('code', 'ILLEGAL_TRANSITION');
  });

  for (const who of ['this process', 'another process'] as const)
    it(`stop the program of a job that ${who} cancels`, async () => {
      const jobs = new Jobs(who === 'this process' ? here.ledger : await here.another(), CLOCK, sleeper);
      const { id } = await queue(jobs, 'sleep');
      const driven = runnerOf(here.ledger, sleeper).drive([id]);
      const { process: started } = await running(jobs, id);
      expect(await isAlive(started!.pid!)).to.equal(true);
      await jobs.cancel(id, ACTOR);
      await driven;
      expect(await isAlive(started!.pid!)).to.equal(false);
      expect(await kinds(here.ledger, id)).to.deep.equal(['job.queued', 'job.running', 'job.failed']);
      expect((await jobs.get(id)).failure).to.include({ reason: 'cancelled', message: 'cancelled' });
      expect(await here.ledger.lease(id)).to.equal(null);
    });

  it('that are stopped stop their programs and say so, and leave the rest of the queue', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, sleeper);
    const first = await queue(jobs, 'sleep');
    const second = await queue(jobs, 'sleep');
    const stop = new AbortController();
    const all = runnerOf(here.ledger, sleeper, { concurrency: 1 }).driveAll(stop.signal);
    const { process: started } = await running(jobs, first.id);
    stop.abort();
    await all;
    expect(await isAlive(started!.pid!)).to.equal(false);
    const { failure } = await jobs.get(first.id);
    expect(failure).to.deep.include({ reason: 'cancelled', by: { who: 'lukhas', how: 'lukhas' } });
    expect((await jobs.get(second.id)).state).to.equal('queued');
  });

  it('never run a job twice, however many race for it', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, counted());
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push((await queue(jobs, 'count')).id);
    const ledgers = await Promise.all([here.another(), here.another(), here.another()]);
    await Promise.all(ledgers.map((ledger) => runnerOf(ledger, counted()).drive(ids)));
    expect(await count()).to.equal(12);
    for (const id of ids)
      expect(await kinds(here.ledger, id)).to.deep.equal(['job.queued', 'job.running', 'job.completed']);
  });

  it('stop what a dead process left when the job is cancelled', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, sleeper);
    const orphan = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    children.push(orphan);
    const job = await leaveRunning(await queue(jobs, 'sleep'), orphan.pid!, processMark(orphan.pid!));
    await jobs.cancel(job.id, ACTOR);
    await until(async () => !(await isAlive(orphan.pid!)));
    expect(await here.ledger.lease(job.id)).to.equal(null);
  });

  it('do not touch a process that only has the pid of a lost program', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, sleeper);
    const stranger = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    children.push(stranger);
    const job = await leaveRunning(await queue(jobs, 'sleep'), stranger.pid!, 'another-boot/17');
    await runnerOf(here.ledger, sleeper).drive([job.id]);
    expect((await jobs.get(job.id)).failure).to.include({ reason: 'lost', message: 'the process that ran it died' });
    await wait(50);
    expect(await isAlive(stranger.pid!)).to.equal(true);
  });

  it('do not run a job whose process died while it was starting it', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, counted());
    const { id } = await queue(jobs, 'count');
    await here.ledger.acquireLease(id, deadHolder(), CLOCK.now(), 60_000);
    await runnerOf(here.ledger, counted()).drive([id]);
    expect((await jobs.get(id)).failure).to.include({
      reason: 'lost',
      message: 'the process that was starting it died',
    });
    expect(await count()).to.equal(0);
  });

  it('leave a job alone that a living process holds, and end when that process has ended it', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, counted());
    const job = await queue(jobs, 'count');
    await here.ledger.acquireLease(job.id, newHolder(), CLOCK.now(), 60_000);
    let ended = false;
    const driven = runnerOf(here.ledger, counted())
      .drive([job.id])
      .then(() => {
        ended = true;
      });
    await wait(400);
    expect(ended).to.equal(false);
    await jobs.cancel(job.id, ACTOR);
    await driven;
    expect(await count()).to.equal(0);
  });

  it('record nothing of a job whose lease they lost, and wait for whoever has it', async () => {
    const go = join(dir, 'go');
    const tasks = { wait: program(['/bin/sh', '-c', 'until [ -e "$0" ]; do sleep 0.02; done', go]) };
    const jobs = new Jobs(here.ledger, CLOCK, tasks);
    const { id } = await queue(jobs, 'wait');
    let ended = false;
    const driven = runnerOf(here.ledger, tasks)
      .drive([id])
      .then(() => {
        ended = true;
      });
    const { process } = await running(jobs, id);
    const held = await here.ledger.lease(id);
    const other = strangeHolder();
    await here.ledger.acquireLease(id, other, CLOCK, 60_000, held?.holder);
    await writeFile(go, '');
    await until(async () => !(await isAlive(process?.pid as number)));
    await wait(300);
    expect(await kinds(here.ledger, id)).to.deep.equal(['job.queued', 'job.running']);
    expect((await here.ledger.lease(id))?.holder).to.equal(other);
    expect(ended).to.equal(false);
    await jobs.cancel(id, ACTOR);
    await driven;
    expect(await kinds(here.ledger, id)).to.deep.equal(['job.queued', 'job.running', 'job.failed']);
  });

  it('never give up a job whose process lives, though it does not renew its lease', async () => {
    const jobs = new Jobs(here.ledger, CLOCK, sleeper);
    const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
    children.push(child);
    const job = await queue(jobs, 'sleep');
    await here.ledger.acquireLease(job.id, newHolder(), CLOCK, -1);
    const data = { pid: child.pid as number, processStartedAt: processMark(child.pid as number) };
    const ts = new Date().toISOString();
    await appendToJob(here.ledger, job, { kind: 'job.running', subject: job.id, ts, data });
    const stop = new AbortController();
    const all = runnerOf(here.ledger, sleeper).driveAll(stop.signal);
    await wait(1500);
    expect(await kinds(here.ledger, job.id)).to.deep.equal(['job.queued', 'job.running']);
    expect(await isAlive(child.pid as number)).to.equal(true);
    // Whoever cancels it wants its program stopped, which the process itself does not do.
    await jobs.cancel(job.id, ACTOR);
    await until(async () => !(await isAlive(child.pid as number)));
    stop.abort();
    await all;
  });

  it('run only what their own configuration names, whatever the log asks for', async () => {
    const asked = { ...counted(), gone: program(['true']) };
    const jobs = new Jobs(here.ledger, CLOCK, asked);
    const other = await queue(jobs, 'count');
    const gone = await queue(jobs, 'gone');
    const stop = new AbortController();
    const all = runnerOf(here.ledger, { count: program(['true']) }, { patienceMs: 500 }).driveAll(stop.signal);
    await until(async () => (await jobs.get(gone.id)).state === 'failed');
    await until(async () => (await jobs.get(other.id)).state === 'failed');
    stop.abort();
    await all;
    expect((await jobs.get(other.id)).failure?.message).to.match(/has a different command for task count/);
    expect((await jobs.get(gone.id)).failure).to.include({ reason: 'start' });
    expect(await count()).to.equal(0);
  });

  it('leave a job that they do not know to others, whatever the wall clock says of its age', async () => {
    // As after a step of the wall clock: the request seems to be an hour old.
    const jobs = new Jobs(here.ledger, { ...CLOCK, now: () => CLOCK.now() - 3_600_000 }, counted());
    const { id } = await queue(jobs, 'count');
    const stop = new AbortController();
    const stranger = runnerOf(here.ledger, {}).driveAll(stop.signal);
    await wait(300);
    await runnerOf(await here.another(), counted()).drive([id]);
    stop.abort();
    await stranger;
    expect((await jobs.get(id)).state).to.equal('completed');
    expect(await count()).to.equal(1);
  });
});

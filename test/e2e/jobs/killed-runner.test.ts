import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Jobs } from '../../../src/lib/jobs/jobs.js';
import { type Place, place } from '../../lib/canary/harness.js';
import { CLOCK, isAlive, kinds, queue, runnerOf, script } from '../../lib/jobs/harness.js';
import { until } from '../../until.js';

const PROCESS = fileURLToPath(new URL('runner-process.ts', import.meta.url));

describe('runners of jobs, in processes of their own', () => {
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

  it('end a job as lost, once, whose process was killed, and stop its program', async () => {
    // It ignores SIGTERM, and its child has a group of its own.
    const code = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);
      const child = require('child_process').spawn('sleep', ['60'], { detached: true });
      require('fs').writeFileSync(${JSON.stringify(join(dir, 'pids'))}, process.pid + ' ' + child.pid);`;
    const counting = script(`require('fs').appendFileSync(${JSON.stringify(join(dir, 'count'))}, 'x');`);
    const tasks = { hang: script(code), count: counting };
    const jobs = new Jobs(here.ledger, CLOCK, tasks);
    const hang = await queue(jobs, 'hang');
    const child = spawn(process.execPath, ['--import', 'tsx', PROCESS, here.path, JSON.stringify(tasks)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
    let pids: number[] = [];
    await until(async () => {
      pids = (await readFile(join(dir, 'pids'), 'utf8').catch(() => '')).split(' ').filter(Boolean).map(Number);
      return pids.length === 2;
    });
    await until(async () => (await jobs.get(hang.id)).state === 'running');
    const waits = await queue(jobs, 'count');
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const pid of pids) expect(await isAlive(pid)).to.equal(true);
    // Two at once find it: only one of them records it.
    const others = await Promise.all([here.another(), here.another()]);
    await Promise.all(others.map((ledger) => runnerOf(ledger, tasks).drive([hang.id, waits.id])));
    for (const pid of pids) await until(async () => !(await isAlive(pid)));
    expect(await kinds(here.ledger, hang.id)).to.deep.equal(['job.queued', 'job.running', 'job.failed']);
    const { failure } = await jobs.get(hang.id);
    expect(failure?.reason).to.equal('lost');
    expect(failure?.message).to.match(/^the process that ran it died/);
    expect((await jobs.get(waits.id)).state).to.equal('completed');
    expect(await readFile(join(dir, 'count'), 'utf8')).to.equal('x');
    expect(await here.ledger.lease(hang.id)).to.equal(null);
  });
});

import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../../until.js';
import { expectNoInsides, Workspace } from '../lukhas.js';
import { SmallDisk } from '../small-disk.js';

describe('jobs whose disk gets full while they run', () => {
  let w: Workspace;
  let disk: SmallDisk;
  beforeEach(() => {
    w = new Workspace();
    disk = new SmallDisk(join(w.dir, 'disk'));
    // Ends when it is told to.
    const command = '[/bin/sh, -c, "until [ -e go ]; do sleep 0.1; done"]';
    w.file('lukhas.yaml', `tasks: { waits: { command: ${command}, cwd: ${w.dir}, timeout: 60s, metrics: none } }\n`);
  });
  afterEach(async () => {
    disk.unmount();
    await w.remove();
  });

  const db = () => ['--db', join(disk.dir, 'log.db')];
  const stateOf = async (id: string) => (await w.json(['job', 'status', id, ...db()]))['status'];
  const idOf = (text: string) => /(j-[a-z0-9]+)/.exec(text)?.[1] ?? '';

  /** A command that waits for its job, whose program ends now, on a disk that is full by then. */
  const endingOnFullDisk = async () => {
    const running = w.start(['job', 'run', 'waits', ...db()]);
    await running.says(/queued/);
    const id = idOf((await w.run(['job', 'list', ...db()])).stdout);
    await until(async () => (await stateOf(id)) === 'running');
    disk.fill();
    w.file('go', '');
    return { running, id };
  };

  it('end the command that waits for them, which says what becomes of the job', async () => {
    const { running, id } = await endingOnFullDisk();
    const run = await running.finished;
    expectNoInsides(run);
    expect(run.code, run.stderr).to.equal(1);
    expect(run.stderr.match(/its disk is full/g), run.stderr).to.have.length(1);
    expect(run.stderr).to.include(`job ${id}: its end is not recorded`).and.to.include(`lukhas job cancel ${id}`);
    expect(run.stderr).not.to.include('run the command again');
    disk.free();
    const cancelled = await w.run(['job', 'cancel', id, ...db()]);
    expect(cancelled.code, cancelled.stderr).to.equal(0);
  });

  it('end at once with Ctrl-C while the command tries to record the end', async () => {
    const { running } = await endingOnFullDisk();
    running.child.kill('SIGINT');
    const run = await running.finished;
    expectNoInsides(run);
    expect(run.code, run.stderr).to.equal(130);
  });

  it('are recorded by the daemon when there is room again', async () => {
    const daemon = w.start(['serve', '--port', '0', ...db()]);
    await daemon.says(/listening on/);
    const queued = await w.run(['job', 'run', 'waits', '--detach', ...db()]);
    const id = idOf(queued.stdout);
    await until(async () => (await stateOf(id)) === 'running');
    disk.fill();
    w.file('go', '');
    await daemon.says(/disk is full/);
    disk.free();
    await until(async () => (await stateOf(id)) === 'completed');
  });
});

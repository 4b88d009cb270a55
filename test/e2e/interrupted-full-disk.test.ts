import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../until.js';
import { canaryId, expectNoInsides, type Running, Workspace } from './lukhas.js';
import { counting, type Page, serve } from './metrics-page.js';
import { sleepers } from './sleepers.js';
import { SmallDisk } from './small-disk.js';

/** A program that nothing else starts. */
const MARK = `47.${process.pid}`;
const marked = (): string[] => sleepers(MARK);

describe('a signal while the disk is full', () => {
  let w: Workspace;
  let disk: SmallDisk;
  let page: Page;
  before(async () => {
    page = await serve(counting(5000, 0.0005));
  });
  beforeEach(() => {
    w = new Workspace();
    disk = new SmallDisk(join(w.dir, 'disk'));
    w.file('policy.yaml', 'windowSeconds: 60\nintervalSeconds: 5\ntargets: { max_error_rate: 0.02 }\n');
  });
  afterEach(async () => {
    disk.unmount();
    await w.remove();
  });
  after(() => page.close());

  const db = () => join(disk.dir, 'log.db');
  const start = (...args: string[]) => w.start([...args, '--db', db()]);
  const names = ['--model', 'm', '--from', 'a', '--to', 'b', '--policy', 'policy.yaml'];

  /** Ends it so, and expects one line about the disk at most, and nothing that runs on. */
  async function interrupted(running: Running, signal: 'SIGINT' | 'SIGTERM'): Promise<string> {
    disk.fill();
    running.child.kill(signal);
    const run = await running.finished;
    expectNoInsides(run);
    expect(run.code, run.stderr).to.equal(signal === 'SIGINT' ? 130 : 143);
    await until(() => marked().length === 0);
    return run.stderr;
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stops the program of a job (${signal})`, async () => {
      w.file('lukhas.yaml', `tasks: { long: { command: [/bin/sleep, "${MARK}"], timeout: 60s } }\n`);
      const running = start('job', 'run', 'long');
      await until(() => marked().length === 1);
      const told = await interrupted(running, signal);
      expect(told.match(/its disk is full/g), told).to.have.length(1);
    });

    it(`stops a promote hook (${signal})`, async () => {
      w.file(
        'lukhas.yaml',
        `hooks: { promote: [{ exec: { command: [/bin/sleep, "${MARK}"] } }] }\npromotion: { requireCanary: false }\n`,
      );
      const running = start('gate', 'promote', 'other', 'b');
      await until(() => marked().length === 1);
      await interrupted(running, signal);
    });

    it(`leaves a canary to the next driver (${signal})`, async () => {
      const running = start('canary', 'start', ...names, '--canary-url', page.url);
      await running.says(/s of 60 s/);
      await interrupted(running, signal);
      disk.free();
      const again = start('canary', 'resume', canaryId(await running.finished));
      await again.says(/s of 60 s/);
      await interrupted(again, signal);
    });

    it(`ends the daemon, with a job of its own (${signal})`, async () => {
      w.file('lukhas.yaml', `tasks: { long: { command: [/bin/sleep, "${MARK}"], timeout: 60s } }\n`);
      const running = start('serve', '--port', '0');
      await running.says(/listening on/);
      const queued = await w.run(['job', 'run', 'long', '--detach', '--db', db()]);
      expect(queued.code, queued.stderr).to.equal(0);
      await until(() => marked().length === 1);
      await interrupted(running, signal);
    });

    it(`ends the demo, and its services with it (${signal})`, async () => {
      const running = start('demo');
      await running.says(/s of 30 s/);
      const told = await interrupted(running, signal);
      expect(told).to.match(/its disk is full|stopped the demo's services/);
    });
  }

  it('ends a witness', async () => {
    const made = await w.run(['keys', 'init']);
    expect(made.code, made.stderr).to.equal(0);
    const vkey = await w.run(['keys', 'show', '--form', 'vkey']);
    w.file('log.vkey', vkey.stdout.split('\n')[0] ?? '');
    const key = await w.run(['witness', 'key', '--db-dir', join(disk.dir, 'witness'), '--name', 'example.org/w']);
    expect(key.code, key.stderr).to.equal(0);
    const witness = ['witness', 'serve', '--db-dir', join(disk.dir, 'witness'), '--log', 'log.vkey'];
    const running = w.start([...witness, '--listen', '127.0.0.1:0']);
    await running.says(/listening on/);
    await interrupted(running, 'SIGTERM');
  });
});

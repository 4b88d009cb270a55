import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '../../until.js';
import { onlyDocument, type Running, Workspace } from '../lukhas.js';

describe('a daemon that has no file descriptors left', () => {
  let w: Workspace;
  let sockets: Socket[];
  let over: boolean;
  beforeEach(() => {
    w = new Workspace();
    w.file('lukhas.yaml', 'tasks: { t: { command: [/bin/echo, hello], timeout: 20s } }\n');
    sockets = [];
    over = false;
  });
  afterEach(async () => {
    over = true;
    for (const socket of sockets) socket.destroy();
    await w.remove();
  });

  async function serve(limit: number): Promise<{ running: Running; port: number; pid: number; said: string }> {
    const running = w.startWithin(limit, ['serve', '--port', '0']);
    let said = '';
    running.child.stderr?.on('data', (text: string) => {
      said += text;
    });
    await running.says(/listening on \S+;/);
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
    return { running, port: Number(port), pid: running.child.pid as number, said };
  }

  /** Clients that never say a word; one that is refused or cut off comes again. */
  function silent(port: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const open = (): void => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined);
        sockets.push(socket);
        socket.once('close', () => {
          if (!over) setTimeout(open, 50).unref();
        });
      };
      open();
    }
  }

  const task = async (...more: string[]) => onlyDocument(await w.run(['job', 'run', 't', '--json', ...more]));
  async function ended(): Promise<Record<string, unknown>> {
    const { jobId } = await task('--detach');
    let job: Record<string, unknown> = {};
    await until(async () => {
      job = await w.json(['job', 'status', String(jobId)]);
      return job['status'] === 'completed' || job['status'] === 'failed';
    }, 100);
    return job;
  }
  const healthy = async (port: number): Promise<number> => (await fetch(`http://127.0.0.1:${port}/healthz`)).status;

  for (const limit of [60, 200])
    it(`runs jobs while silent connections take what they get (${limit} files)`, async () => {
      const { running, port, said } = await serve(limit);
      expect(said).to.match(/^lukhas: at most \d+ connections instead of 13000: this process may have/m);
      silent(port, limit * 2);
      const job = await ended();
      expect(job, JSON.stringify(job)).to.include({ status: 'completed' });
      running.child.kill('SIGTERM');
      expect((await running.finished).code).to.equal(143);
    });

  it('lives on when the limit is lowered while it runs, and recovers when it is raised', async () => {
    const { running, port, pid } = await serve(300);
    const limitTo = (files: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${files}:300`]);
    const open = readdirSync(`/proc/${pid}/fd`).length;
    silent(port, 100);
    await until(() => readdirSync(`/proc/${pid}/fd`).length > open + 50);
    limitTo(20);
    // Waits a while for descriptors, and says then what it lacked.
    const job = await ended();
    expect(job['status']).to.equal('failed');
    expect(JSON.stringify(job)).to.contain('no file descriptors left');
    over = true;
    for (const socket of sockets.splice(0)) socket.destroy();
    limitTo(300);
    await until(async () => (await ended())['status'] === 'completed', 100);
    expect(await healthy(port)).to.equal(200);
    running.child.kill('SIGTERM');
    const run = await running.finished;
    expect(run.code, run.stderr).to.equal(143);
    expect(run.stderr).not.to.contain('bug');
  });
});

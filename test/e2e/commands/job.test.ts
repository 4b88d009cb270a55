import { expect } from 'chai';
import { firstLine, type Run, Workspace } from '../lukhas.js';

const TASKS = {
  ok: { command: [process.execPath, '-e', `console.log('{"f1": 0.9}')`], metrics: 'json-last-line', timeout: '20s' },
  bad: { command: [process.execPath, '-e', `console.error('no model'); process.exit(3)`] },
  slow: { command: ['sleep', '30'] },
};

describe('lukhas job', () => {
  let workspace: Workspace;

  beforeEach(() => {
    workspace = new Workspace();
    workspace.file('lukhas.yaml', JSON.stringify({ tasks: TASKS }));
  });

  afterEach(() => workspace.remove());

  const run = (...args: string[]): Promise<Run> => workspace.run(['job', ...args]);
  const idOf = ({ stderr }: Run) => /queued (j-\w+)/.exec(stderr)?.[1] ?? '';

  it('runs a task for a configuration and tells how it ended', async () => {
    const ok = await run('run', 'ok', '--config', 'prod@7', '--json');
    expect(ok.code, ok.stderr).to.equal(0);
    expect(JSON.parse(ok.stdout)).to.deep.include({ taskId: 'ok', configId: 'prod@7', status: 'completed', exit: 0 });
    expect(JSON.parse(ok.stdout).result.metrics).to.deep.equal({ f1: 0.9 });
    const bad = await run('run', 'bad');
    expect(bad.code).to.equal(5);
    expect(bad.stdout)
      .to.match(/^failed {2}bad {2}j-\w+\n/)
      .and.contain('exit code 3')
      .and.contain('no model');
    const why = await workspace.run(['why', idOf(bad)]);
    expect(why.code).to.equal(0);
    expect(why.stdout).to.match(/^Job bad failed\./);
    const math = await workspace.json(['why-math', idOf(ok)]);
    expect(math).to.deep.include({ decision: 'completed', metrics: { f1: 0.9 } });
    expect(await workspace.json(['job', 'status', idOf(bad).slice(0, 10)])).to.include({ status: 'failed', exit: 5 });
    const { jobs } = (await workspace.json(['job', 'list', '--state', 'failed'])) as { jobs: object[] };
    expect(jobs.map((job) => (job as { jobId: string }).jobId)).to.deep.equal([idOf(bad)]);
  });

  it('takes its configuration file from --config-file, and says when --config may have meant it', async () => {
    const elsewhere = workspace.file('other.json', JSON.stringify({ tasks: { other: { command: ['true'] } } }));
    const other = await run('run', 'other', '--config-file', elsewhere);
    expect(other.code, other.stderr).to.equal(0);
    const meant = await run('run', 'other', '--config', 'lukhas.yaml');
    expect(meant.code).to.equal(2);
    expect(meant.stderr).to.contain('--config-file').and.contain('known are: bad, ok, probe, slow');
  });

  it('probes the log with nothing configured', async () => {
    workspace.file('lukhas.yaml', '');
    const probe = await run('run', 'probe', '--json');
    expect(probe.code, probe.stderr).to.equal(0);
    expect(JSON.parse(probe.stdout).result.metrics).to.include({ checked: 'the whole log', log_entries: 2 });
  });

  it('ends with 8 when the time is up, and with 10 and 130 when it is cancelled', async () => {
    expect((await run('run', 'slow', '--timeout', '300ms')).code).to.equal(8);
    const running = workspace.start(['job', 'run', 'slow', '--json']);
    await running.says(/queued j-\w+/);
    const [{ jobId }] = ((await workspace.json(['job', 'list', '--limit', '1'])) as { jobs: [{ jobId: string }] }).jobs;
    expect((await run('cancel', jobId, '--reason', 'wrong set')).code).to.equal(0);
    expect((await running.finished).code).to.equal(10);
    const again = await run('cancel', jobId);
    expect(again.code).to.equal(2);
    expect(firstLine(again)).to.contain('is failed: it cannot be cancelled');
    const interrupted = workspace.start(['job', 'run', 'slow', '--json']);
    await interrupted.says(/queued j-\w+/);
    const listed = () => workspace.json(['job', 'list', '--limit', '1']) as Promise<{ jobs: [{ status: string }] }>;
    while ((await listed()).jobs[0].status !== 'running');
    interrupted.child.kill('SIGINT');
    const { code, stdout } = await interrupted.finished;
    expect(code).to.equal(130);
    expect(JSON.parse(stdout).failure).to.include({ reason: 'cancelled', message: 'cancelled: interrupted (SIGINT)' });
  });

  it('leaves a detached job in the queue', async () => {
    const detached = await run('run', 'ok', '--detach');
    expect(detached.code).to.equal(0);
    expect(await workspace.json(['job', 'status', detached.stdout.trim()])).to.include({ status: 'queued', exit: 8 });
  });
});

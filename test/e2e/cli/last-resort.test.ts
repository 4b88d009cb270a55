import { expect } from 'chai';
import { until } from '../../until.js';
import { onlyDocument, Workspace } from '../lukhas.js';
import { sleepers } from '../sleepers.js';

/** A program that nothing else starts. */
const MARK = `48.${process.pid}`;
const programs = (): string[] => sleepers(MARK);

/** Errors that nobody handles, when the test asks for them. */
const FAULTS = `process.on('SIGUSR2', () => { void Promise.reject(new Error('nobody handles it')); });`;
const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(FAULTS)}"`;

describe('an error that nobody handles', () => {
  let w: Workspace;
  beforeEach(() => {
    w = new Workspace();
    w.file('lukhas.yaml', `tasks: { long: { command: [/bin/sleep, "${MARK}"], timeout: 60s } }\n`);
  });
  afterEach(() => w.remove());

  for (const json of [false, true])
    it(`ends the process with one line, and its programs with it${json ? ' (--json)' : ''}`, async () => {
      const running = w.start(['job', 'run', 'long', ...(json ? ['--json'] : [])], { env: { NODE_OPTIONS } });
      await until(() => programs().length === 1);
      running.child.kill('SIGUSR2');
      const run = await running.finished;
      expect(run.code, run.stderr).to.equal(1);
      if (json) expect(onlyDocument(run)).to.have.nested.property('error.code', 'INTERNAL');
      else expect(run.stderr).to.match(/^lukhas: internal error: nobody handles it$/m);
      await until(() => programs().length === 0);
    });

  it('ends the daemon, and the programs of its jobs with it', async () => {
    const running = w.start(['serve', '--port', '0'], { env: { NODE_OPTIONS } });
    await running.says(/listening on/);
    await w.run(['job', 'run', 'long', '--detach']);
    await until(() => programs().length === 1);
    running.child.kill('SIGUSR2');
    const run = await running.finished;
    expect(run.code, run.stderr).to.equal(1);
    expect(run.stderr).to.contain('lukhas: internal error: nobody handles it');
    await until(() => programs().length === 0);
  });

  it('leaves no program behind when a second signal ends the daemon where it is', async () => {
    w.file(
      'lukhas.yaml',
      `tasks: { long: { command: [/bin/sh, -c, "trap '' TERM; /bin/sleep ${MARK}"], timeout: 60s } }\n`,
    );
    const running = w.start(['serve', '--port', '0']);
    await running.says(/listening on/);
    await w.run(['job', 'run', 'long', '--detach']);
    await until(() => programs().length === 1);
    running.child.kill('SIGTERM');
    await running.says(/stopping/);
    running.child.kill('SIGTERM');
    expect((await running.finished).code).to.equal(143);
    await until(() => programs().length === 0);
  });
});

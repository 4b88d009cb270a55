import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Verdict } from '../../src/lib/judge/verdict.js';
import { until } from '../until.js';
import { expectNoInsides, onlyDocument, type Run, type Running, Workspace } from './lukhas.js';

/** What the demo promises, starts and ends of processes apart. */
const WITHIN_SECONDS = 60;

describe('lukhas demo', () => {
  const workspaces: Workspace[] = [];

  afterEach(async () => {
    await Promise.all(workspaces.splice(0).map((workspace) => workspace.remove()));
  });

  function workspace(): Workspace {
    const made = new Workspace();
    workspaces.push(made);
    return made;
  }

  it('rolls a version with errors back; every command it names next works, up to a good version that is promoted', async () => {
    const here = workspace();
    const running = here.start(['demo']);
    const services = await servicesOf(running);
    const run = await running.finished;
    expect(run.code, run.stderr).to.equal(0);
    await decidedInTime(here, run);
    expectNoInsides(run);
    expect(run.stdout).to.match(/^ROLLED BACK {2}fraud-v2 {2}stage → production {2,}after \d+ s \(\d+ s saved\)$/m);
    expect(run.stdout).to.match(/^ {2}error_rate too high: \d+ of [\d,]+ requests failed/m);
    await gone(services);

    const next = nextCommands(run);
    // Runs until it is stopped, on a port that other tests use: serve.test.ts.
    expect(next.pop()).to.equal('npx lukhas serve --demo');
    expect(run.stdout).to.match(/the cockpit: http:\/\/127\.0\.0\.1:8766\/cockpit\.html\n$/);
    expect(next).to.have.length(5);
    expect(next.at(-1)).to.equal('npx lukhas demo --healthy');
    const runs: Run[] = [];
    for (const command of next) runs.push(await here.shell(command.replace(/^npx /, '')));
    for (const [i, { code, stderr }] of runs.entries()) expect(code, `${next[i]}: ${stderr}`).to.equal(0);
    const [why, math, verified, gates, healthy] = runs as [Run, Run, Run, Run, Run];
    expect(why.stdout).to.match(/^fraud-v2 was rolled back on its way from stage to production\./);
    expect(why.stdout).to.match(/preflight check .*canary latency: model_latency: 1 series/);
    expect(math.stdout).to.contain('recorded and recomputed verdict agree to the byte');
    const id = / (c-\w+)$/m.exec(run.stdout)![1]!;
    const status = await here.run(['canary', 'status', id]);
    expect(status.stdout).to.equal(verdictPart(run));
    expect(onlyDocument(await here.run(['canary', 'status', id, '--json']))).to.include({
      status: 'ROLLED_BACK',
      exit: 3,
    });
    expect(verified.stdout).to.match(/^verified: /);
    expect(gates.stdout).to.match(/no gate has a holder yet/);

    await decidedInTime(here, healthy);
    expect(healthy.stdout).to.match(/^PROMOTED {2}fraud-v2 {2}stage → production {2,}after 30 s$/m);
    expect(healthy.stdout).to.match(/ certified: at most 1 in 100 /);
    expect(nextCommands(healthy).at(-2)).to.equal('npx lukhas demo');
    expect((await here.json(['gate', 'list']))['gates']).to.have.length(1);
  });

  it('rolls a version back whose scores drift, and one that crashes', async () => {
    const here = workspace();
    const db = `it's a folder/lukhas.db`;
    const [drift, crash] = await Promise.all([
      here.run(['demo', '--fault', 'drift', '--json']),
      here.run(['demo', '--fault', 'crash', '--db', db]),
    ]);
    expect([drift.code, crash.code], drift.stderr + crash.stderr).to.deep.equal([0, 0]);
    const document = onlyDocument(drift);
    expect(document).to.include({ status: 'ROLLED_BACK', exit: 3, fault: 'drift' });
    expect((document['verdict'] as Verdict).decidedBy).to.equal('drift');
    expect(drift.stderr).to.equal('');

    expect(crash.stdout).to.match(/^ROLLED BACK {2}fraud-v2/m);
    expect(crash.stdout).to.match(/^ {2}.*did not answer/m);
    const [first] = nextCommands(crash);
    const why = await here.shell(first!.replace(/^npx /, ''));
    expect(why.code, why.stderr).to.equal(0);
    expect(why.stdout).to.match(/^fraud-v2 was rolled back/);
    const id = /next: lukhas why (c-\w+) --db /.exec(crash.stdout)![1]!;
    expect((await here.run(['canary', 'status', id, '--db', db])).stdout).to.equal(verdictPart(crash));
  });

  it('leaves no process behind when it is interrupted, told to end, or killed', async () => {
    const signals = [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGKILL', null],
    ] as const;
    const all = signals.map(async ([signal, code]) => {
      const here = workspace();
      const running = here.start(['demo']);
      const services = await servicesOf(running);
      running.child.kill(signal);
      const run = await running.finished;
      expect(run.code, `${signal}: ${run.stderr}`).to.equal(code);
      await gone(services);
      if (code === null) return;
      expectNoInsides(run);
      const { canaries } = await here.json(['canary', 'list']);
      expect(canaries).to.have.length(1);
      expect((canaries as object[])[0]).to.include({ status: 'ABORTED' });
      expect(run.stderr).to.contain('aborted canary');
    });
    await Promise.all(all);
  });
});

/** Commands as they can be pasted into a shell. */
function nextCommands({ stdout }: Run): string[] {
  return stdout
    .slice(stdout.indexOf('\nNext:\n'))
    .split('\n')
    .filter((line) => line.startsWith('  npx '))
    .map((line) => line.trim().split(/ {2,}/)[0]!);
}

/** By its own clock: what a busy machine adds is nobody's promise. */
async function decidedInTime(here: Workspace, { stdout }: Run): Promise<void> {
  const id = / (c-\w+)$/m.exec(stdout)![1]!;
  const { verdict } = await here.json(['canary', 'status', id]);
  expect((verdict as Verdict).elapsedSeconds).to.be.at.most(WITHIN_SECONDS);
}

/** What is said before the traffic and the next commands. */
function verdictPart({ stdout }: Run): string {
  return `${stdout.slice(0, stdout.indexOf('\nTraffic sent:')).trim()}\n`;
}

/** Process ids of the demo's two services, once the canary is watched. */
async function servicesOf(running: Running): Promise<number[]> {
  await running.says(/ of 30 s: /);
  const { pid } = running.child;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  expect(children).to.have.length(2);
  return children;
}

async function gone(pids: readonly number[]): Promise<void> {
  await until(() => !pids.some((pid) => existsSync(`/proc/${pid}`)));
}

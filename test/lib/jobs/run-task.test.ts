import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { Jobs } from '../../../src/lib/jobs/jobs.js';
import { until } from '../../until.js';
import { type Place, place } from '../canary/harness.js';
import { CLOCK, isAlive, kinds, program, queue, runAll, runnerOf, runOne, script } from './harness.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that something still refers to. What is garbage is not counted, however long its collection waits. */
function held(): number {
  // The second call waits for what the first one found, which is freed in a thread.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a job', () => {
  let here: Place;
  let dir: string;
  beforeEach(async () => {
    here = await place();
    dir = await realpath(await mkdtemp(join(tmpdir(), 'lukhas-jobs-')));
  });
  afterEach(async () => {
    await here.close();
    await rm(dir, { recursive: true, force: true });
  });

  const run = (...args: Parameters<typeof runOne> extends [unknown, ...infer R] ? R : never) =>
    runOne(here.ledger, ...args);

  it('completes with the metrics of the last line and the end of what was written', async () => {
    const job = await run(
      script(
        `console.error('warming up'); console.log('{"old": 1}\\n{"auc": 0.91, "ok": true, "note": "é", "gap": null}\\n\\n')`,
        {
          metrics: 'json-last-line',
        },
      ),
    );
    expect(job.state).to.equal('completed');
    expect(job.failure).to.equal(null);
    expect(job.result?.metrics).to.deep.equal({ auc: 0.91, ok: true, note: 'é', gap: null });
    expect(job.result).to.include({ exitCode: 0 });
    expect(job.result?.durationMs).to.be.above(0);
    expect(job.result?.output).to.deep.include({ bytes: 77, truncated: false });
    expect(job.result?.output?.tail).to.contain('warming up').and.contain('"auc"');
    expect(await kinds(here.ledger, job.id)).to.deep.equal(['job.queued', 'job.running', 'job.completed']);
    expect(job.process?.pid).to.be.above(1);
    expect(await here.ledger.lease(job.id)).to.equal(null);
  });

  it('is told what it is, inherits what its task names, and runs where its task says', async () => {
    const tasks = {
      show: script(
        `console.log(JSON.stringify({ args: process.argv.slice(1).join(), cwd: process.cwd(), ...process.env }))`,
        { metrics: 'json-last-line', cwd: dir, env: { MINE: 'a b', PROM_TOKEN: 'given' }, passEnv: ['NAMED'] },
        '{configId}',
        '--of={configId}/x',
      ),
    };
    const jobs = new Jobs(here.ledger, CLOCK, tasks);
    const { id } = await queue(jobs, 'show', 'prod@7');
    const env = { PATH: process.env['PATH'], LUKHAS_MCP_API_KEYS: 'k', PROM_BEARER: 'b', OTHER: 'o', NAMED: 'n' };
    await runnerOf(here.ledger, tasks, { env }).drive([id]);
    const { result, command } = await jobs.get(id);
    expect(result?.metrics).to.include({
      args: 'prod@7,--of=prod@7/x',
      cwd: dir,
      MINE: 'a b',
      PROM_TOKEN: 'given',
      NAMED: 'n',
      LUKHAS_JOB_ID: id,
      LUKHAS_TASK_ID: 'show',
      LUKHAS_CONFIG_ID: 'prod@7',
      LUKHAS_DRY_RUN: 'false',
    });
    expect(result?.metrics).to.not.have.any.keys('LUKHAS_MCP_API_KEYS', 'PROM_BEARER', 'OTHER');
    expect(command?.slice(-2)).to.deep.equal(['prod@7', '--of=prod@7/x']);
  });

  it('fails with what its program ended with', async () => {
    const tasks = {
      three: script(`console.log('no such model'); process.exit(3)`),
      killed: script(`process.kill(process.pid, 'SIGKILL')`),
      missing: program(['no-such-program-here']),
      plain: program([dir]),
      nowhere: program(['true'], { cwd: join(dir, 'gone') }),
    };
    const [three, killed, missing, plain, nowhere] = await runAll(here.ledger, tasks);
    expect(three?.failure).to.include({ reason: 'exit', message: 'exit code 3', exitCode: 3 });
    expect(three?.failure?.output?.tail).to.equal('no such model\n');
    expect(killed?.failure).to.include({ reason: 'exit', message: 'ended by SIGKILL', exitCode: null });
    expect(missing?.failure).to.include({ reason: 'start', message: 'command not found: "no-such-program-here"' });
    expect(plain?.failure?.reason).to.equal('start');
    expect(plain?.failure?.message).to.contain('EACCES');
    expect(nowhere?.failure?.message).to.equal(`no such directory: ${JSON.stringify(join(dir, 'gone'))}`);
    // It never ran, and the log does not say that it did.
    expect(await kinds(here.ledger, missing!.id)).to.deep.equal(['job.queued', 'job.failed']);
  });

  it('is stopped with everything it started when its time is up, also what ignores SIGTERM or leaves the group', async () => {
    const pids = join(dir, 'pids');
    const deaf = `trap '' TERM; echo up; while :; do sleep 1; done`;
    const code = `const { spawn } = require('child_process');
      const start = (detached) => spawn('/bin/sh', ['-c', ${JSON.stringify(deaf)}], { detached });
      const children = [start(false), start(true)];
      let up = 0;
      for (const child of children) child.stdout.once('data', () => {
        if (++up === 2) require('fs').writeFileSync(${JSON.stringify(pids)}, [process.pid, ...children.map((c) => c.pid)].join(' '));
      });`;
    const job = await run(script(code, { timeoutSeconds: 2 }));
    expect(job.failure).to.include({ reason: 'timeout', message: 'timed out after 2 s and was stopped' });
    const started = (await readFile(pids, 'utf8')).split(' ').map(Number);
    expect(started).to.have.length(3);
    for (const pid of started) await until(async () => !(await isAlive(pid)));
  });

  it('takes what its program leaves in the background with it', async () => {
    const code = `const child = require('child_process').spawn('sleep', ['30'], { stdio: 'inherit' });
      console.log('{"pid": ' + child.pid + '}'); child.unref();`;
    const job = await run(script(code, { metrics: 'json-last-line' }));
    expect(job.state).to.equal('completed');
    await until(async () => !(await isAlive(Number(job.result?.metrics?.['pid']))));
  });

  it('may flood its output: memory stays bounded, the newest is kept, and all of it is counted', async () => {
    // Whole lines, so that the end is no half of a character.
    const written = 41 * 1_500_000;
    const [flooded, seen] = [join(dir, 'flooded'), join(dir, 'seen')];
    const flood = `yes ${'é'.repeat(20)} | head -c ${written}; : > "$1"; until [ -e "$2" ]; do sleep 0.1; done`;
    const before = held();
    const running = run(program(['/bin/sh', '-c', flood, 'sh', flooded, seen], { timeoutSeconds: 600 }));
    await until(() => existsSync(flooded));
    const after = held();
    await writeFile(seen, '');
    const job = await running;
    expect(job.state).to.equal('completed');
    const { bytes, tail, truncated } = job.result!.output!;
    expect(bytes).to.equal(written);
    expect(truncated).to.equal(true);
    expect(Buffer.byteLength(tail)).to.be.within(8000, 8192);
    expect(tail).to.match(/^[é\n]+$/);
    expect(after - before).to.be.below(written / 4);
  });

  it('keeps its metrics however much is written to stderr after them', async () => {
    const code = `process.stdout.write('{"f1": 0.5}\\n', () => process.stderr.write('x'.repeat(3_000_000)))`;
    const job = await run(script(code, { metrics: 'json-last-line' }));
    expect(job.result?.metrics).to.deep.equal({ f1: 0.5 });
    expect(job.result?.output).to.include({ bytes: 3_000_012, truncated: true });
  });

  it('keeps no more than 8 KiB of what is no text at all', async () => {
    const job = await run(script(`process.stdout.write(Buffer.alloc(5_000, 0xff))`));
    expect(job.state).to.equal('completed');
    expect(Buffer.byteLength(job.result!.output!.tail)).to.be.within(8000, 8192);
    expect(job.result?.output).to.include({ bytes: 5_000, truncated: true });
  });

  it('fails without metrics that can be read, and says what was there', async () => {
    const said = { nothing: '', words: 'done', list: '[1]', nested: '{"a":{"b":1}}', huge: '{"a":1e999}' };
    const tasks = Object.fromEntries(
      Object.entries(said).map(([name, text]) => [
        name,
        script(`process.stdout.write(${JSON.stringify(text)})`, { metrics: 'json-last-line' as const }),
      ]),
    );
    const ended = await runAll(here.ledger, tasks);
    expect(ended.map(({ failure }) => failure?.reason)).to.deep.equal(Array(5).fill('metrics'));
    expect(ended.map(({ failure }) => failure?.message)).to.deep.equal([
      'no metrics: stdout is empty',
      'no metrics: the last line of stdout is not JSON: "done"',
      'no metrics: the last line of stdout is a list, not a JSON object',
      'no metrics: the last line of stdout: a is a group of keys: a metric is a finite number, a text, true, false or null',
      'no metrics: the last line of stdout: a is Infinity: a metric is a finite number, a text, true, false or null',
    ]);
    expect(ended[1]?.failure).to.include({ exitCode: 0 });
  });

  it('that is a dry run runs nothing, but says whether it could', async () => {
    const mark = join(dir, 'ran');
    await writeFile(join(dir, 'no-program'), '');
    const tasks = {
      could: script(`require('fs').writeFileSync(${JSON.stringify(mark)}, '')`),
      missing: program(['no-such-program-here']),
      plain: program(['./no-program'], { cwd: dir }),
      nowhere: program(['true'], { cwd: join(dir, 'gone') }),
    };
    const jobs = new Jobs(here.ledger, CLOCK, tasks);
    const by = { who: 'ana', how: 'os-user' } as const;
    const ids: string[] = [];
    for (const taskId of Object.keys(tasks))
      ids.push((await jobs.start({ taskId, configId: null, dryRun: true, by })).id);
    await runnerOf(here.ledger, tasks).drive(ids);
    const [could, missing, plain, nowhere] = await Promise.all(ids.map((id) => jobs.get(id)));
    expect(could).to.deep.include({
      state: 'completed',
      result: { durationMs: 0, exitCode: null, metrics: null, output: null },
    });
    await readFile(mark).then(
      () => expect.fail('it ran'),
      () => undefined,
    );
    expect(missing?.failure?.message).to.equal('command not found: "no-such-program-here"');
    expect(plain?.failure?.message).to.match(
      /^not allowed to run "\.\/no-program" \(\/.*\/no-program\): is it executable\?$/,
    );
    expect(nowhere?.failure?.reason).to.equal('start');
  });

  it('of a built-in task has its result, its error or its time limit', async () => {
    const outcome = async (builtin: () => Promise<Record<string, number>>) => {
      const jobs = new Jobs(here.ledger, CLOCK, {});
      const by = { who: 'ana', how: 'os-user' } as const;
      const { id } = await jobs.start({ taskId: 'probe', configId: null, dryRun: false, by, timeoutSeconds: 0.2 });
      await runnerOf(here.ledger, {}, { builtins: { probe: builtin } }).drive([id]);
      return jobs.get(id);
    };
    expect((await outcome(async () => ({ a: 1 }))).result?.metrics).to.deep.equal({ a: 1 });
    expect((await outcome(async () => ({ a: Number.NaN }))).failure?.reason).to.equal('metrics');
    const broken = await outcome(() => Promise.reject(new Error('entry 7 was changed')));
    expect(broken.failure).to.include({ reason: 'exit', message: 'entry 7 was changed' });
    expect((await outcome(() => new Promise(() => undefined))).failure?.reason).to.equal('timeout');
  });
});

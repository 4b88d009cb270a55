import { expect } from 'chai';
import { verifyAll } from '../../../src/lib/app/verification.js';
import { jobJson } from '../../../src/lib/jobs/job-json.js';
import { Jobs } from '../../../src/lib/jobs/jobs.js';
import type { TasksConfig } from '../../../src/lib/jobs/task.js';
import { foldSummaries } from '../../../src/lib/readings/summaries.js';
import { ACTOR, type Place, place, start } from '../canary/harness.js';
import { policy } from '../judge/looks.js';
import { refusal } from '../refusal.js';
import { CLOCK, program, queue, runnerOf } from './harness.js';

const TASKS: TasksConfig = {
  smoke: program(['./smoke.sh', '{configId}'], { description: 'a quick look', timeoutSeconds: 60 }),
  plain: program(['true']),
};

describe('jobs', () => {
  let here: Place;
  let jobs: Jobs;
  beforeEach(async () => {
    here = await place();
    jobs = new Jobs(here.ledger, CLOCK, TASKS);
  });
  afterEach(() => here.close());

  it('are of tasks that are known: the configured ones and the built-in', async () => {
    expect(jobs.tasks()).to.deep.equal([
      { id: 'plain', description: 'true' },
      { id: 'probe', description: 'built in: verifies the log and measures the database' },
      { id: 'smoke', description: 'a quick look' },
    ]);
    for (const taskId of ['smok', 'toString', '']) {
      const error = await refusal(queue(jobs, taskId, 'c'));
      expect(error.code).to.equal('USAGE');
      expect(error.message).to.contain('known are: plain, probe, smoke');
    }
    expect(await here.ledger.size()).to.equal(0);
  });

  it('take a configuration whose name could not be anything else', async () => {
    for (const configId of ['-rf', 'a b', '', '$(x)', 'a\nb'])
      expect((await refusal(queue(jobs, 'smoke', configId))).message).to.match(/^configuration name .* is not valid/);
    expect((await refusal(queue(jobs, 'smoke'))).message).to.contain('needs --config');
  });

  it('are shown in the shape that callers rely on', async () => {
    const job = await queue(jobs, 'smoke', 'prod@7');
    expect(job.id).to.match(/^j-[0-9a-z]{14,}$/);
    const { updatedAt, createdAt, ...rest } = jobJson(job);
    expect(rest).to.deep.equal({
      jobId: job.id,
      taskId: 'smoke',
      configId: 'prod@7',
      status: 'queued',
      startedAt: null,
      dryRun: false,
      command: ['./smoke.sh', 'prod@7'],
      timeoutSeconds: 60,
      requestedBy: ACTOR,
    });
    expect(updatedAt).to.equal(createdAt);
  });

  it('go by the whole id or a unique beginning of it', async () => {
    const first = await queue(jobs, 'plain');
    expect((await jobs.get(first.id)).id).to.equal(first.id);
    expect((await jobs.get(first.id.slice(0, 6))).id).to.equal(first.id);
    expect((await refusal(jobs.get(first.id.slice(0, 5)))).code).to.equal('USAGE');
    expect((await refusal(jobs.get('j-nothing'))).code).to.equal('NOT_FOUND');
    await queue(jobs, 'plain');
    expect((await refusal(jobs.get(first.id.slice(0, 6)))).code).to.equal('AMBIGUOUS_ID');
    // A canary is no job.
    const canary = await start(here.ledger, CLOCK, { policy: policy({ targets: { max_error_rate: 0.02 } }) });
    expect((await refusal(jobs.get(canary.id))).code).to.equal('NOT_FOUND');
  });

  it('have rows that come out the same from the log alone', async () => {
    await start(here.ledger, CLOCK, { policy: policy({ targets: { max_error_rate: 0.02 } }) });
    const done = await queue(jobs, 'plain');
    await runnerOf(here.ledger, TASKS).drive([done.id]);
    const cancelled = await queue(jobs, 'smoke', 'c1');
    await jobs.cancel(cancelled.id, ACTOR, 'x');
    const waits = await queue(jobs, 'smoke', 'c2');
    const before = await here.ledger.summaries();
    expect(before.map(({ subject, state, open }) => [subject, state, open]).slice(0, 3)).to.deep.equal([
      [waits.id, 'queued', true],
      [cancelled.id, 'failed', false],
      [done.id, 'completed', false],
    ]);
    expect(await here.ledger.rebuildSummaries(foldSummaries)).to.equal(4);
    expect(await here.ledger.summaries()).to.deep.equal(before);
    expect((await verifyAll(here.path)).ok).to.equal(true);
    expect((await jobs.list({ states: ['queued'] })).map(({ subject }) => subject)).to.deep.equal([waits.id]);
    expect(await jobs.list()).to.have.length(3);
  });

  it('are cancelled with a reason that may hold anything', async () => {
    const { id } = await queue(jobs, 'plain');
    const { failure } = await jobs.cancel(id, ACTOR, `\ud800${'😀'.repeat(600)}`);
    expect(failure?.message.length).to.be.within(500, 1020);
    expect((await refusal(jobs.cancel(id, ACTOR))).message).to.equal(`Job ${id} is failed: it cannot be cancelled.`);
  });
});

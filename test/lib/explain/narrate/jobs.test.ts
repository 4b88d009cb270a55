import { expect } from 'chai';
import { why, whyMath } from '../../../../src/lib/app/explanations.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import { narrativeText } from '../../../../src/lib/explain/render.js';
import { appendToJob } from '../../../../src/lib/jobs/log.js';
import type { EventDraft } from '../../../../src/lib/ledger/events.js';
import type { Job } from '../../../../src/lib/readings/job.js';
import { ACTOR, FakeClock, type Place, place } from '../../canary/harness.js';

describe('the story of a job', () => {
  let here: Place;
  let job: Job | null;
  beforeEach(async () => {
    here = await place();
    job = null;
  });
  afterEach(() => here.close());

  const ID = 'j-m8k2x0abcdef';
  const log = () => ({ ledger: here.ledger, canaries: new Canaries(here.ledger, new FakeClock()) });
  const text = async (id = ID, at?: number) => narrativeText(await why(log(), id, { at }));
  const at = (second: number) => `2026-03-01T12:00:${String(second).padStart(2, '0')}.000Z`;
  async function tell(second: number, event: Pick<EventDraft, 'kind' | 'data'>): Promise<void> {
    job = await appendToJob(here.ledger, job, { ...event, subject: ID, ts: at(second) } as EventDraft);
  }
  const queued = (changes: object = {}) =>
    tell(0, {
      kind: 'job.queued',
      data: {
        taskId: 'smoke',
        configId: 'prod@7',
        dryRun: false,
        command: ['./smoke.sh', 'prod@7', 'a b'],
        timeoutSeconds: 60,
        requestedBy: ACTOR,
        ...changes,
      },
    });
  const running = () => tell(2, { kind: 'job.running', data: { pid: 4711, processStartedAt: 'boot/1' } });

  it('says who asked for what, when it began and ended, and what it found', async () => {
    await queued();
    await running();
    const output = { bytes: 30, tail: 'loading\n\u001b[31mdone\u202e\n', truncated: false };
    const metrics = { auc: 0.91, note: 'fine\nreally' };
    await tell(7, { kind: 'job.completed', data: { durationMs: 5000, exitCode: 0, metrics, output } });
    expect(await text()).to.equal(`Job smoke for prod@7 completed.

Request
  ana (operating-system account) queued job ${ID} on 2026-03-01 12:00:00 UTC: task smoke with configuration prod@7.
  Its command is ./smoke.sh prod@7 "a b"; its timeout is 60 s.

Timeline
  At 12:00:02 it started, after 2 s in the queue, as process 4711.
  At 12:00:07 it completed, after 5000 ms.

Metrics
  auc = 0.91
  note = fine really

End of its output
  loading
  \\u001b[31mdone\\u202e

Next steps
  For everything as JSON: lukhas job status ${ID} --json`);
    const math = await whyMath(log(), ID.slice(0, 8));
    expect(math).to.deep.include({ id: ID, decision: 'completed', time_to_action_sec: 5, metrics, state: null });
    expect(math.thresholds).to.deep.equal({ latency_p95_ms: null, max_error_rate: null, max_drift: null });
  });

  it('says why it failed and who cancelled it, and how it stood before', async () => {
    await queued({ command: null, configId: null, dryRun: true });
    await running();
    const by = { who: 'bo', how: 'loopback' as const };
    const end = { durationMs: 1500, exitCode: null, output: null, by };
    await tell(4, { kind: 'job.failed', data: { reason: 'cancelled', message: 'cancelled: wrong one', ...end } });
    const told = await text(ID.slice(0, 6));
    expect(told).to.contain('Job smoke (dry run) was cancelled.').and.contain('The task is built in');
    expect(told).to.match(/At 12:00:04 it failed, after 1500 ms, by bo \(.+\): cancelled: wrong one\./);
    expect((await whyMath(log(), ID)).decision).to.equal('failed');
    expect(await text(ID, Date.parse(at(3)))).to.match(/^As of .*: Job smoke \(dry run\) is running\./);
    expect(await text(ID, Date.parse(at(1)))).to.contain('is queued');
    expect((await why(log(), ID, { at: Date.parse(at(0)) - 1 })).about).to.equal('unknown');
  });
});

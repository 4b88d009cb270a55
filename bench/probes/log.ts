import { timestamp } from '../../src/lib/clock.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';
import type { EventDraft } from '../../src/lib/ledger/events.js';
import type { SummaryDraft, Unit } from '../../src/lib/ledger/ledger.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { foldSummaries } from '../../src/lib/readings/summaries.js';
import { fillLog } from '../canaries/log.js';

const START = Date.UTC(2026, 5, 1);
const BY = { who: 'bench', how: 'os-user' } as const;
const EVENTS_OF_CANARY = 25;
const EVENTS_OF_JOB = 3;
const JOBS_AT_ONCE = 1000;

/** Half of the entries are of canaries with 25 entries each, half of jobs with three. @returns the ids of the canaries */
export async function makeLog(path: string, entries: number): Promise<string[]> {
  const ledger = await openLedger(path);
  try {
    const policy = parsePolicy({ windowSeconds: 100, intervalSeconds: 5, targets: { max_error_rate: 0.02 } });
    const half = Math.floor(entries / 2);
    const ids = await fillLog(ledger, policy, { canaries: Math.ceil(half / EVENTS_OF_CANARY), events: half });
    const jobs = Math.ceil((entries - (await ledger.size())) / EVENTS_OF_JOB);
    for (let first = 0; first < jobs; first += JOBS_AT_ONCE)
      await ledger.commit(jobsFrom(first, Math.min(JOBS_AT_ONCE, jobs - first)));
    // As the daemon itself would have written them.
    await ledger.rebuildSummaries(foldSummaries);
    return ids;
  } finally {
    await ledger.close();
  }
}

/** Commits jobs that have ended, `EVENTS_OF_JOB` entries each, from a process that is not the daemon. */
export async function appendJobs(path: string, first: number, count: number): Promise<void> {
  const ledger = await openLedger(path);
  try {
    for (let done = 0; done < count; done += JOBS_AT_ONCE)
      await ledger.commit(jobsFrom(first + done, Math.min(JOBS_AT_ONCE, count - done)));
  } finally {
    await ledger.close();
  }
}

function jobsFrom(first: number, count: number): Unit {
  const events: EventDraft[] = [];
  const summaries: SummaryDraft[] = [];
  for (let n = first; n < first + count; n++) {
    const subject = `j-${(START + n * 1000).toString(36)}${n.toString(16).padStart(6, '0')}`;
    const draft = (kind: EventDraft['kind'], after: number, data: unknown) =>
      ({ kind, subject, ts: timestamp(START + n * 1000 + after), data }) as EventDraft;
    const asked = { taskId: 'evaluate', configId: null, dryRun: false };
    events.push(
      draft('job.queued', 0, { ...asked, command: ['evaluate'], timeoutSeconds: 60, requestedBy: BY }),
      draft('job.running', 100, { pid: 1000 + (n % 1000), processStartedAt: 'boot 1' }),
      draft('job.completed', 900, {
        durationMs: 800,
        exitCode: 0,
        metrics: { accuracy: 0.9, rows: n, note: 'x'.repeat(200) },
        output: null,
      }),
    );
    const data = { ...asked, startedAt: timestamp(START + n * 1000 + 100), reason: null };
    summaries.push({ subject, type: 'job', state: 'completed', modelId: '', open: false, data });
  }
  return { events, summaries };
}

import type { EventDraft, Expectation, Ledger } from '../ledger/index.js';
import { asStored, type Named, notInLog } from '../ledger/index.js';
import type { Job } from '../readings/index.js';
import { applyJobEvent, foldJob, isJobEvent, jobSummary } from '../readings/index.js';

/** Jobs, as `resolveId` looks for them. */
export const JOB: Named = { type: 'job', one: 'job', many: 'jobs', list: 'lukhas job list' };

/** @throws LukhasError NOT_FOUND */
export async function loadJob(ledger: Ledger, id: string): Promise<Job> {
  const job = foldJob(await ledger.events({ subject: id }));
  if (job) return job;
  throw notInLog(id, JOB);
}

/**
 * Appends one event of a job together with its listing row.
 * @param job as it was read; null for its first event
 * @param expect what has to be so besides
 * @throws LukhasError LEDGER_CONFLICT when something else has happened to it since
 */
export async function appendToJob(
  ledger: Ledger,
  job: Job | null,
  event: EventDraft,
  expect: readonly Expectation[] = [],
): Promise<Job> {
  const lastSeq = job?.lastSeq ?? -1;
  const next = applied(job, asStored(event, lastSeq + 1));
  const [written] = await ledger.commit({
    events: [event],
    summaries: [jobSummary(next)],
    expect: [{ subject: event.subject, lastSeq }, ...expect],
  });
  return written ? applied(job, written) : next;
}

function applied(job: Job | null, event: Parameters<typeof isJobEvent>[0]): Job {
  if (isJobEvent(event)) return applyJobEvent(job, event);
  throw new TypeError(`${event.kind} is not an event of a job`);
}

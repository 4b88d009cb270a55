import { LukhasError } from '../errors.js';
import type { StoredEvent, SummaryDraft } from '../ledger/index.js';
import type { Job, JobState } from './job.js';
import { isJobEvent, type JobEvent, unhandled } from './meaning.js';

/** States in which each kind of event may come; a job that waits may fail without ever having run. */
const ALLOWED: { readonly [K in JobEvent['kind']]: readonly JobState[] } = {
  'job.queued': [],
  'job.running': ['queued'],
  'job.completed': ['running'],
  'job.failed': ['queued', 'running'],
};

/** Kinds are named after the states that they bring. */
export function jobStateAfter({ kind }: JobEvent): JobState {
  return kind.slice('job.'.length) as JobState;
}

export function isFinal(state: JobState): boolean {
  return state === 'completed' || state === 'failed';
}

/**
 * Folds one event in; the first must be `job.queued`.
 * @throws LukhasError LEDGER_CORRUPT for one that cannot follow
 */
export function applyJobEvent(job: Job | null, event: JobEvent): Job {
  if (event.kind === 'job.queued' && !job) return queued(event);
  if (!job)
    throw new LukhasError(
      'LEDGER_CORRUPT',
      `Log entry ${event.seq} is about job ${event.subject}, which was never queued.`,
    );
  if (!ALLOWED[event.kind].includes(job.state))
    throw new LukhasError(
      'LEDGER_CORRUPT',
      `Log entry ${event.seq} (${event.kind}) cannot follow state ${job.state} of job ${job.id}.`,
    );
  return { ...job, state: jobStateAfter(event), updatedAt: event.ts, lastSeq: event.seq, ...change(event) };
}

function queued(event: Extract<JobEvent, { kind: 'job.queued' }>): Job {
  return {
    id: event.subject,
    ...event.data,
    state: 'queued',
    createdAt: event.ts,
    startedAt: null,
    updatedAt: event.ts,
    process: null,
    result: null,
    failure: null,
    lastSeq: event.seq,
  };
}

function change(event: JobEvent): Partial<Job> {
  switch (event.kind) {
    case 'job.running': {
      const { pid, processStartedAt } = event.data;
      return { startedAt: event.ts, process: { pid, startedAt: processStartedAt } };
    }
    case 'job.completed':
      return { result: event.data };
    case 'job.failed':
      return { failure: event.data };
    // A first request is not folded into anything.
    case 'job.queued':
      return {};
    default:
      return unhandled(event);
  }
}

/** A job from its events; null when there are none. */
export function foldJob(events: Iterable<StoredEvent>): Job | null {
  let job: Job | null = null;
  for (const event of events) if (isJobEvent(event)) job = applyJobEvent(job, event);
  return job;
}

/** The row that listings read. */
export function jobSummary(job: Job): SummaryDraft {
  return {
    subject: job.id,
    type: 'job',
    state: job.state,
    // A job is of no model.
    modelId: '',
    open: !isFinal(job.state),
    data: {
      taskId: job.taskId,
      configId: job.configId,
      dryRun: job.dryRun,
      startedAt: job.startedAt,
      reason: job.failure?.reason ?? null,
    },
  };
}

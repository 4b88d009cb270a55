import type { EventData } from '../ledger/index.js';

export const JOB_STATES = ['queued', 'running', 'completed', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A job as its events tell it. */
export interface Job extends Readonly<EventData['job.queued']> {
  id: string;
  state: JobState;
  /** RFC 3339 UTC: requested, begun (null while it waits), newest event. */
  createdAt: string;
  startedAt: string | null;
  updatedAt: string;
  /** Its program while it runs; `startedAt` is the kernel's mark of its start (`processMark`), no time of day. */
  process: { pid: number | null; startedAt: string | null } | null;
  result: EventData['job.completed'] | null;
  failure: EventData['job.failed'] | null;
  lastSeq: number;
}

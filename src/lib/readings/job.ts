import type { EventData } from '../ledger/index.js';

/** A task as the configuration names it; `task-schema.ts` makes these from a file. */
export interface TaskConfig {
  /** Program and arguments, run without a shell; `{configId}` in an argument stands for the job's configuration. */
  command: [string, ...string[]];
  timeoutSeconds: number;
  /** `json-last-line`: the last line of stdout is a JSON object of numbers, texts and truth values; `none`: nothing is read. */
  metrics: 'json-last-line' | 'none';
  env: Record<string, string>;
  cwd?: string;
  description?: string;
}

export type TasksConfig = Readonly<Record<string, TaskConfig>>;

export type JobState = 'queued' | 'running' | 'completed' | 'failed';

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

import type { Actor, JobFailure, JobOutput } from '../ledger/events.js';

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
export interface Job {
  id: string;
  taskId: string;
  configId: string | null;
  dryRun: boolean;
  command: string[] | null;
  timeoutSeconds: number;
  requestedBy: Actor;
  state: JobState;
  /** RFC 3339 UTC: requested, begun (null while it waits), newest event. */
  createdAt: string;
  startedAt: string | null;
  updatedAt: string;
  /** Its program while it runs; `startedAt` is the kernel's mark of its start (`processMark`), no time of day. */
  process: { pid: number | null; startedAt: string | null } | null;
  result: {
    durationMs: number;
    exitCode: number | null;
    metrics: Record<string, number | string | boolean | null> | null;
    output: JobOutput | null;
  } | null;
  failure: {
    reason: JobFailure;
    message: string;
    durationMs: number | null;
    exitCode: number | null;
    output: JobOutput | null;
    by: Actor | null;
  } | null;
  lastSeq: number;
}

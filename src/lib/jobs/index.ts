/**
 * Evaluation jobs: tasks, the queue, one program from its claim to its end.
 */
export type { Builtin, JobMetrics } from './builtin.js';
export { type JobJson, jobJson } from './job-json.js';
export { JobRunner, type JobRunnerOptions } from './job-runner.js';
export { Jobs } from './jobs.js';
export { JOB } from './log.js';
export { JOB_TIME, type TasksConfig } from './task.js';
export { jobsSchema, tasksSchema } from './task-schema.js';

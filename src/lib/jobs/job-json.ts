import type { Job, JobState } from '../readings/index.js';

/** What every surface shows of a job. */
export type JobJson = Pick<
  Job,
  | 'taskId'
  | 'configId'
  | 'dryRun'
  | 'command'
  | 'timeoutSeconds'
  | 'requestedBy'
  | 'createdAt'
  | 'startedAt'
  | 'updatedAt'
> & {
  jobId: string;
  status: JobState;
  /** Of a completed job. */
  result?: NonNullable<Job['result']>;
  /** Of a failed one. */
  failure?: NonNullable<Job['failure']>;
};

export function jobJson(job: Job): JobJson {
  const { id, taskId, configId, state, dryRun, command, timeoutSeconds, requestedBy, result, failure } = job;
  return {
    jobId: id,
    taskId,
    configId,
    status: state,
    startedAt: job.startedAt,
    updatedAt: job.updatedAt,
    createdAt: job.createdAt,
    dryRun,
    command,
    timeoutSeconds,
    requestedBy,
    ...(result ? { result } : {}),
    ...(failure ? { failure } : {}),
  };
}

/** Numbers, texts and truth values by name. */
export type JobMetrics = Record<string, number | string | boolean | null>;

/**
 * A task that is built in: runs inside the process that drives the job. A rejection fails the job with its message.
 * The signal aborts when the job is cancelled or its time is up.
 */
export type Builtin = (context: { jobId: string; configId: string | null; signal: AbortSignal }) => Promise<JobMetrics>;

/** Tasks that are there with nothing configured. */
export const BUILTIN_TASKS: Readonly<Record<string, { timeoutSeconds: number; description: string }>> = {
  probe: { timeoutSeconds: 30, description: 'built in: verifies the log and measures the database' },
};

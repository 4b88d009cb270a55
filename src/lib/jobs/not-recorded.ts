import type { Clock } from '../clock.js';
import { LukhasError } from '../errors.js';

/** What is said and done where the database does not take what a job came to. */

/** Between two tries; ends early when the signal aborts meanwhile. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return clock.sleep(ms);
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** What the database said, and what becomes of a job whose entry it did not take. */
export function unrecorded(id: string, kind: string, cause: LukhasError): LukhasError {
  const what = kind === 'job.running' ? 'that it began' : 'its end';
  const remedy =
    cause.code === 'LEDGER_FULL' ? ['Free disk space or raise the quota.'] : ['Wait until the database is not busy.'];
  return new LukhasError(cause.code, `${cause.message}; job ${id}: ${what} is not recorded`, {
    suggestions: [
      ...remedy,
      `Then \`lukhas serve\` on this database records the job as lost, or end it: lukhas job cancel ${id}`,
    ],
    cause,
  });
}

/** The same of a job that could not be claimed. */
export function staysQueued(id: string, cause: LukhasError): LukhasError {
  return new LukhasError(cause.code, `${cause.message}; job ${id} stays queued`, {
    suggestions: [
      'Free disk space or raise the quota.',
      `Then \`lukhas serve\` on this database runs the job, or cancel it: lukhas job cancel ${id}`,
    ],
    cause,
  });
}

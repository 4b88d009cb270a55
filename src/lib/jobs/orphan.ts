import type { Ledger } from '../ledger/index.js';
import { isDead } from '../ledger/index.js';
import { processesWith, processMark, stopGroup } from '../process/index.js';
import type { Job } from '../readings/index.js';

const GRACE_MS = 2000;

/**
 * Whether a process that lives drives the job: it holds the lease from before the job begins until its end is recorded.
 * @param now ms since the epoch
 */
export async function isDriven(ledger: Ledger, jobId: string, now: number): Promise<boolean> {
  const lease = await ledger.lease(jobId);
  return lease !== null && lease.expiresAt > now && !isDead(lease.holder);
}

/**
 * Stops what is left of a job's program when the process that ran it is dead, and drops that process's lease. A process
 * that only happens to have its pid is let be.
 * @returns whether anything was found
 */
export async function stopIfAbandoned(ledger: Ledger, job: Job, now: number): Promise<boolean> {
  if (await isDriven(ledger, job.id, now)) return false;
  const lease = await ledger.lease(job.id);
  // Never taken by anybody.
  if (lease === null && job.process === null) return false;
  const found = await stopProcesses(job);
  if (lease) await ledger.releaseLease(job.id, lease.holder);
  return found;
}

/** Its process group, if the leader is still the one that was started, and whatever carries the job's id in its environment. */
export async function stopProcesses({ id, process: started }: Job): Promise<boolean> {
  const pid = started?.pid ?? null;
  const isLeader = pid !== null && started?.startedAt != null && processMark(pid) === started.startedAt;
  if (isLeader) await stopGroup(pid, GRACE_MS);
  return (await killMarked(id)) || isLeader;
}

/** Ends what carries the job's id in its environment, also what has left the process group. @returns whether there was any */
export async function killMarked(jobId: string): Promise<boolean> {
  const pids = await processesWith('LUKHAS_JOB_ID', jobId);
  for (const pid of pids) kill(pid);
  return pids.length > 0;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

import type { Clock } from '../clock.js';
import type { Lease, Ledger } from '../ledger/index.js';
import { isAlive, isDead } from '../ledger/index.js';
import { processesWith, processMark, stopGroup } from '../process/index.js';
import type { Job } from '../readings/index.js';

const GRACE_MS = 2000;

/**
 * Whether somebody drives a job: who does holds its lease from before the job begins until its end is recorded. A process
 * that certainly lives is never given up here: nobody else may run the job, so all that comes of it is a program killed.
 */
export function isDriven({ holder, leftMs }: Lease): boolean {
  return isAlive(holder) || (leftMs > 0 && !isDead(holder));
}

/**
 * Stops what is left of the program of a job that has ended when the process that ran it is dead, or has not renewed its
 * lease, and drops that lease. A process that only happens to have its pid is let be.
 * @returns whether anything was found
 */
export async function stopIfAbandoned(ledger: Ledger, job: Job, clock: Clock): Promise<boolean> {
  const lease = await ledger.leaseAt(job.id, clock);
  if (lease !== null && lease.leftMs > 0 && !isDead(lease.holder)) return false;
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

import type { VerifyReport } from '../ledger/verify/index.js';
import { inThread } from '../threads/index.js';

export interface VerifyTask {
  /** The database file. */
  path: string;
  /** Also compares the rows of listings with the log. */
  summaries: boolean;
}

/** Summaries of half a million canaries and jobs, and what the log makes of them. */
const HEAP_MIB = 2048;
/** In a report; as many as it counts itself. */
const MOST_PROBLEMS = 100;

/**
 * Verifies a log on a connection and a thread of its own, so that nothing in this one waits: `PRAGMA integrity_check` alone
 * is one call that takes as long as the file is large.
 * @throws LukhasError as `verifyAll`; the signal's reason; Error when the thread died
 */
export async function verifyInThread(task: VerifyTask, signal?: AbortSignal): Promise<VerifyReport> {
  const work = { name: 'verify-worker', beside: import.meta.url, data: task, signal, heapMiB: HEAP_MIB };
  const report = await inThread<VerifyReport>(work);
  return { ...report, problems: report.problems.slice(0, MOST_PROBLEMS) };
}

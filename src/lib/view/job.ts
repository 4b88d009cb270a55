import { milliseconds } from '../explain/index.js';
import type { JobOutput, StoredEvent } from '../ledger/index.js';
import { foldJob, type Job } from '../readings/index.js';

/** One job as it is shown. */
export interface JobView {
  job: Job;
  /** How long its program ran; null: it did not, or still runs. */
  duration: string | null;
  metrics: [name: string, value: string][];
  /** What its program wrote, as recorded; null: nothing is. */
  output: JobOutput | null;
  /** Why it has no result; null: it has one, or none yet. */
  failed: string | null;
}

/** From all entries of its subject; null when they are of something else. @throws {LukhasError} when they cannot follow one another */
export function jobView(events: readonly StoredEvent[]): JobView | null {
  const job = foldJob(events);
  if (job === null) return null;
  const { result, failure } = job;
  const end = result ?? failure;
  return {
    job,
    duration: end?.durationMs == null ? null : milliseconds(end.durationMs),
    metrics: Object.entries(result?.metrics ?? {}).map(([name, value]) => [name, String(value)]),
    output: end?.output ?? null,
    failed: failure === null ? null : `${failure.reason}: ${failure.message}`,
  };
}

import type { EventData, JobFailure, JobOutput } from '../ledger/index.js';

/** How a job ended: what its last event says. */
export type Outcome =
  | { kind: 'job.completed'; data: EventData['job.completed'] }
  | { kind: 'job.failed'; data: EventData['job.failed'] };

interface Known {
  durationMs?: number | null;
  exitCode?: number | null;
  output?: JobOutput | null;
}

export function failed(reason: JobFailure, message: string, known: Known = {}): Outcome {
  const { durationMs = null, exitCode = null, output = null } = known;
  return { kind: 'job.failed', data: { reason, message: wellFormed(message), durationMs, exitCode, output, by: null } };
}

/** Half a surrogate pair, left by cutting or written by a program, cannot be recorded. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

import { get, text } from '../ask.js';
import { type CheckedLog, checked, type LogAnswer, seenSize } from './verify.js';

/** What of the log is asked for. */
export interface LogQuery {
  before?: string | undefined;
  subject?: string | undefined;
  model?: string | undefined;
  kind?: string | undefined;
  limit?: string | undefined;
}

/** Entries of the log, verified. */
export async function readLog(query: LogQuery): Promise<CheckedLog> {
  const since = seenSize();
  const given = Object.entries({ ...query, since: since === null ? undefined : String(since) });
  const parameters = new URLSearchParams(given.filter((entry): entry is [string, string] => Boolean(entry[1])));
  return checked(await get<LogAnswer>(`/api/log?${parameters}`));
}

export function proofAddress(seq: number): string {
  return `/api/log/proof?seq=${seq}`;
}

export function readProof(seq: number): Promise<string> {
  return text(proofAddress(seq));
}

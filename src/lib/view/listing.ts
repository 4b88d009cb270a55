import { isOpenJob, type JobRow, listed, listedJobs, type Overview } from './overview.js';
import { type CanaryRow, isOpenRow } from './row.js';

/** A row of a list that has both. */
export type ListedRow =
  | { kind: 'canary'; id: string; row: CanaryRow; open: boolean; at: number }
  | { kind: 'job'; id: string; row: JobRow; open: boolean; at: number };

/** Canaries and jobs in one list: those that are open first, then the newest. @param search words that all have to be in a row */
export function listedRows(overview: Overview, search = ''): ListedRow[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const canaries = listed(overview, { search }).map(
    (row): ListedRow => ({ kind: 'canary', id: row.id, row, open: isOpenRow(row), at: row.createdAt ?? row.updatedAt }),
  );
  const jobs = listedJobs(overview)
    .filter(({ id, taskId, state, by, message }) => {
      const text = `${id} ${taskId} ${state} ${by ?? ''} ${message ?? ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map(
      (row): ListedRow => ({ kind: 'job', id: row.id, row, open: isOpenJob(row), at: row.createdAt ?? row.updatedAt }),
    );
  if (jobs.length === 0) return canaries;
  return [...canaries, ...jobs].sort((a, b) => Number(b.open) - Number(a.open) || b.at - a.at);
}

import { isDeepStrictEqual } from 'node:util';
import { LukhasError } from '../errors.js';
import type { Ledger, StoredEvent, SubjectSummary } from '../ledger/index.js';
import { foldSummaries } from '../readings/index.js';

const PAGE = 1000;

/**
 * Compares the rows that listings read with what the log makes of them. The log must have been verified.
 * @returns problems in words, one for each row that differs, is missing, or is of nothing in the log
 */
export async function checkSummaries(ledger: Ledger): Promise<string[]> {
  try {
    const { size, summaries } = await settledSummaries(ledger);
    const rows = new Map(summaries.map((summary) => [summary.subject, summary]));
    const wrong: string[] = [];
    for await (const summary of foldSummaries(firstEvents(ledger, size))) {
      if (!isDeepStrictEqual(rows.get(summary.subject), summary)) wrong.push(summary.subject);
      rows.delete(summary.subject);
    }
    return [...wrong, ...rows.keys()].map(
      (subject) => `listing row of ${subject} does not match the log; rebuild it: lukhas db rebuild`,
    );
  } catch (error) {
    // A row that is no JSON, or entries that contradict each other: found, not failed.
    if (error instanceof LukhasError && error.code === 'LEDGER_CORRUPT') return [error.message];
    throw error;
  }
}

/** Rows with the size of the log that they were made from: others may append meanwhile. */
async function settledSummaries(ledger: Ledger): Promise<{ size: number; summaries: SubjectSummary[] }> {
  for (;;) {
    const size = await ledger.size();
    const summaries = await ledger.summaries();
    if ((await ledger.size()) === size) return { size, summaries };
  }
}

async function* firstEvents(ledger: Ledger, size: number): AsyncGenerator<StoredEvent> {
  for (let from = 0; from < size; from += PAGE) yield* await ledger.events({ from, to: Math.min(from + PAGE, size) });
}

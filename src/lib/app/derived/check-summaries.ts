import { LukhasError } from '../../errors.js';
import type { Ledger, StoredEvent } from '../../ledger/index.js';
import type { StoredRows } from '../../ledger/sqlite/index.js';
import { foldSummaries } from '../../readings/index.js';
import { turn } from '../../turns.js';
import type { Tell } from './tell.js';

const PAGE = 1000;

/**
 * Compares the rows that listings read, and what is counted of them, with what the log makes of them. The log must have been
 * verified. Tells of one problem for each row that differs, is missing, or is of nothing in the log.
 */
export async function checkSummaries(ledger: Ledger, rows: StoredRows, tell: Tell): Promise<void> {
  const counts = new Map<string, number>();
  try {
    const extra = new Set(rows.subjects());
    for await (const summary of foldSummaries(allEvents(ledger))) {
      const { subject, type, state } = summary;
      const name = `${type} ${state}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (!rows.isSummary(summary)) tell.table(wrong(subject));
      extra.delete(subject);
    }
    for (const subject of extra) tell.table(wrong(subject));
  } catch (error) {
    // Entries that contradict each other: found, not failed.
    if (!(error instanceof LukhasError) || error.code !== 'LEDGER_CORRUPT') throw error;
    tell.table(error.message);
    return;
  }
  if (rows.has('row_counts')) checkCounts(rows, counts, tell);
}

function checkCounts(rows: StoredRows, counts: Map<string, number>, tell: Tell): void {
  counts.set('documents', rows.documentIds().length);
  const stored = rows.counts();
  for (const name of new Set([...counts.keys(), ...stored.keys()])) {
    if (stored.get(name) === counts.get(name)) continue;
    const [found, expected] = [stored.get(name) ?? 'none', counts.get(name) ?? 'none'];
    tell.table(
      `row_counts: ${JSON.stringify(name)} is ${found}, but there are ${expected}; rebuild: lukhas db rebuild`,
    );
  }
}

function wrong(subject: string): string {
  return `listing row of ${subject} does not match the log; rebuild it: lukhas db rebuild`;
}

async function* allEvents(ledger: Ledger): AsyncGenerator<StoredEvent> {
  const size = await ledger.size();
  for (let from = 0; from < size; from += PAGE) {
    await turn();
    yield* await ledger.events({ from, to: Math.min(from + PAGE, size) });
  }
}

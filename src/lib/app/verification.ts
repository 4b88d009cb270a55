import { SqliteLedger, StoredRows } from '../ledger/sqlite/index.js';
import { type VerifyOptions, type VerifyReport, verifyDatabase } from '../ledger/verify/index.js';
import { checkDocuments, checkSummaries } from './derived/index.js';

/** Of the log and of the tables beside it. */
export interface FullReport extends VerifyReport {
  /** Neither the log nor a table beside it has a problem. */
  ok: boolean;
  /** The log and the observations that verdicts commit to are as recorded, whatever is wrong with other tables. */
  logHolds: boolean;
  /** Of the log first; then those of other tables, which are in `tableProblems` too. */
  problems: string[];
}

/**
 * Verifies the log and, if it has no problems, the tables beside it, as of one moment.
 * @throws LukhasError LEDGER_UNAVAILABLE, LEDGER_CORRUPT (not a database), LEDGER_TOO_NEW, LEDGER_READ_ONLY
 */
export async function verifyAll(path: string, options: VerifyOptions = {}): Promise<FullReport> {
  const report = await verifyDatabase(path, { ...options, tables: true, derived });
  const { ok, problems, problemCount, tableProblems, tableProblemCount, notChecked } = report;
  return {
    ...report,
    ok: ok && tableProblemCount === 0,
    logHolds: ok,
    problems: [...problems, ...tableProblems],
    problemCount: problemCount + tableProblemCount,
    notChecked: ok ? notChecked : [...notChecked, ...NOT_COMPARED],
  };
}

const NOT_COMPARED = [
  'listing rows: not compared, because the log itself has problems',
  'search index, order of observations, cursors, leases and lease_terms: not compared, because the log itself has problems',
];

const derived: NonNullable<VerifyOptions['derived']> = async (connection, tell) => {
  const ledger = new SqliteLedger({ ...connection, readOnly: true });
  const rows = new StoredRows(connection);
  await checkSummaries(ledger, rows, tell);
  if (rows.has('documents')) await checkDocuments(ledger, rows, tell);
};

import { openLedger } from '../ledger/sqlite/index.js';
import { type VerifyOptions, type VerifyReport, verifyDatabase } from '../ledger/verify/index.js';
import { checkSummaries } from './check-summaries.js';

/**
 * Verifies the log and, if it has no problems, the summaries derived from it.
 * @throws LukhasError LEDGER_UNAVAILABLE, LEDGER_CORRUPT (not a database), LEDGER_TOO_NEW, LEDGER_READ_ONLY
 */
export async function verifyAll(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const report = await verifyDatabase(path, options);
  const notChecked = [...report.notChecked, 'cursors and leases: they are not part of the log'];
  if (!report.ok) {
    return {
      ...report,
      notChecked: [...notChecked, 'listing rows: not compared, because the log itself has problems'],
    };
  }
  const ledger = await openLedger(path, { readOnly: true });
  try {
    const problems = await checkSummaries(ledger);
    return { ...report, ok: problems.length === 0, problems, problemCount: problems.length, notChecked };
  } finally {
    await ledger.close();
  }
}

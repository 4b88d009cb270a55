import { openConnection } from './open.js';

/**
 * Looks through the pages of a database for damage (https://sqlite.org/pragma.html#pragma_quick_check). Reads the whole file, in one
 * call that nothing cuts short.
 * @returns the first thing that is wrong; null when nothing is
 * @throws LukhasError LEDGER_*
 */
export async function quickCheck(path: string): Promise<string | null> {
  const { db } = await openConnection(path, { readOnly: true });
  try {
    const found = String(db.pragma('quick_check(1)', { simple: true }));
    return found === 'ok' ? null : found;
  } finally {
    db.close();
  }
}

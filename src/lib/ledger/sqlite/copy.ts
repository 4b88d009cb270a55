import Database from 'better-sqlite3';
import { rootHash } from '../tree/index.js';
import { ledgerError } from './errors.js';
import { openConnection } from './open.js';
import { Reader } from './read.js';

export interface Copied {
  /** Entries in the copy. */
  size: number;
  /** RFC 6962 root over them, hex. */
  root: string;
}

/**
 * Writes a copy of the database as of one moment, without its free pages. Writers go on meanwhile: it only reads. One call of
 * SQLite that takes as long as the database is large, so it belongs into a thread of its own.
 * @param into where nothing is yet
 * @throws LukhasError LEDGER_*
 */
export async function copyDatabase(path: string, into: string): Promise<Copied> {
  const { db } = await openConnection(path, { readOnly: true });
  try {
    // An older database could not give back free pages; its copy can.
    if (db.pragma('auto_vacuum', { simple: true }) === 0) db.pragma('auto_vacuum = INCREMENTAL');
    db.prepare('VACUUM INTO ?').run(into);
  } catch (error) {
    throw ledgerError(error, path);
  } finally {
    db.close();
  }
  const copy = new Database(into, { readonly: true });
  try {
    const reader = new Reader(copy);
    const size = reader.size();
    return { size, root: rootHash(size, reader.node).toString('hex') };
  } catch (error) {
    throw ledgerError(error, into);
  } finally {
    copy.close();
  }
}

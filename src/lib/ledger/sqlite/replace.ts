import { existsSync, readFileSync, statSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import { errorCode, ledgerError } from './errors.js';

/** What a damaged file fails with before it can be locked. */
const DAMAGED = /^SQLITE_(NOTADB|CORRUPT|IOERR|CANTOPEN)/;

/**
 * Whether some process has the database open: each does so with a lock on it.
 * @throws LukhasError LEDGER_BUSY when one has; LEDGER_READ_ONLY
 */
export function requireUnused(path: string): void {
  if (existsSync(path)) lockWhole(path)?.close();
}

/**
 * Puts a file in the place of a database that nobody uses, and keeps the old one under another name, with what its
 * write-ahead log held. At any moment there is a whole database at `path`, the old one or the new one.
 * @param fresh a database without a write-ahead log, on the same file system
 * @returns whether there was something to keep
 * @throws LukhasError LEDGER_BUSY, LEDGER_READ_ONLY, LEDGER_FULL
 */
export async function replaceDatabase(path: string, fresh: string, keptAs: string): Promise<boolean> {
  const there = existsSync(path);
  const lock = there ? lockWhole(path) : null;
  try {
    // Another file's log would be replayed into the new one.
    if (lock !== null) mergeLog(lock, path);
    if (there) await keep(path, keptAs);
    for (const ending of ['-wal', '-shm', '-journal']) {
      const beside = `${path}${ending}`;
      // Beside a damaged file they may hold what it lacks.
      if (lock === null && existsSync(beside)) await keep(beside, `${keptAs}${ending}`);
      await rm(beside, { force: true });
    }
    await rename(fresh, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
    return there;
  } catch (error) {
    throw ledgerError(error, path);
  } finally {
    lock?.close();
  }
}

/** A connection that keeps all others out until it is closed; null: a damaged file, which no process has open. */
function lockWhole(path: string): Database.Database | null {
  let db: Database.Database | null = null;
  try {
    db = new Database(path, { timeout: 0, fileMustExist: true });
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE; COMMIT');
    return db;
  } catch (error) {
    db?.close();
    const code = errorCode(error);
    if (code.startsWith('SQLITE_BUSY')) throw inUse(path, error);
    if (!DAMAGED.test(code)) throw ledgerError(error, path);
    if (isLocked(path)) throw inUse(path, error);
    return null;
  }
}

/** Other connections are gone by now, so that the log can be merged and removed. */
function mergeLog(db: Database.Database, path: string): void {
  const mode = db.pragma('journal_mode = DELETE', { simple: true });
  if (mode !== 'delete') throw inUse(path);
}

/** By the list of the kernel, of all processes; on other systems nobody can say so. */
function isLocked(path: string): boolean {
  try {
    const { dev, ino } = statSync(path);
    const hex = (n: number) => n.toString(16).padStart(2, '0');
    const id = `${hex(dev >> 8)}:${hex(dev & 0xff)}:${ino}`;
    return readFileSync('/proc/locks', 'utf8').includes(` ${id} `);
  } catch {
    return false;
  }
}

async function keep(path: string, keptAs: string): Promise<void> {
  await link(path, keptAs).catch(async (error: NodeJS.ErrnoException) => {
    // A file system without hard links.
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(error.code ?? '')) throw error;
    await rename(path, keptAs);
  });
}

function inUse(path: string, cause?: unknown): LukhasError {
  return new LukhasError('LEDGER_BUSY', `${path} is open in another process`, {
    suggestions: ['Stop `lukhas serve` and every other command that uses it, then run the command again.'],
    cause,
  });
}

import { accessSync, closeSync, constants, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { LukhasError } from '../../errors.js';
import { giveTo, makeFolder, type Owner, openFolder, ownerFor } from '../../process/index.js';
import { errorCode, ledgerError, requireNodeApi } from './errors.js';
import { isCurrent, isReadable, migrate } from './schema.js';
import { requireOwnSchema } from './schema-check.js';

export interface OpenOptions {
  /** Opens what is there and never writes. Default false: the file and its folder are made when missing. */
  readOnly?: boolean;
  /** Opens for writing what is there, and makes nothing. */
  mustExist?: boolean;
  /** How long to wait for another process to release the database, ms. Default 5000. */
  busyTimeoutMs?: number;
}

interface ConnectionOptions extends OpenOptions {
  /** Also takes a database with another schema than lukhas makes, for `verify`, which reports the differences. Only with `readOnly`. */
  anySchema?: boolean;
}

export interface Connection {
  readonly db: Database.Database;
  /** Absolute. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
  /** The file that was opened: `path` may name another one later. */
  readonly file: FileId;
}

interface FileId {
  dev: bigint;
  ino: bigint;
}

/**
 * Opens and, unless `readOnly`, prepares the database file.
 * @throws LukhasError LEDGER_CORRUPT when its schema is not the one that lukhas makes; the others of `openLedger`
 */
export async function openConnection(file: string, options: ConnectionOptions = {}): Promise<Connection> {
  requireNodeApi();
  // better-sqlite3 does the same to what it is given.
  const path = resolve(file).trimEnd();
  const readOnly = options.readOnly ?? false;
  const busyTimeoutMs = options.busyTimeoutMs ?? 5000;
  const attempt = () => {
    if (options.mustExist) requireLedger(path);
    return readOnly ? openForReading(path, options.anySchema ?? false) : openForWriting(path);
  };
  const db = await whileBusy(busyTimeoutMs, path, attempt);
  const { dev, ino } = fileAt(path) ?? NO_FILE;
  return { db, path, readOnly, busyTimeoutMs, file: { dev, ino } };
}

const NO_FILE: FileId = { dev: 0n, ino: 0n };

function fileAt(path: string): FileId | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

/**
 * SQLite goes on writing into a file that nobody will find again, and says nothing.
 * @throws LukhasError LEDGER_UNAVAILABLE when `path` names no file any more, or another one
 */
export function requireInPlace({ path, file }: Connection): void {
  const now = fileAt(path);
  if (now?.ino === file.ino && now.dev === file.dev) return;
  throw new LukhasError(
    'LEDGER_UNAVAILABLE',
    `The ledger ${path} was deleted or replaced while it was open: nothing is written until it is restored or this process restarts`,
    { suggestions: ['Move the file back, or restart this process to use the new file.'] },
  );
}

/**
 * Runs `attempt` until no other process is in its way. SQLite's own waiting would block the event loop, so
 * connections are opened without it.
 */
export async function whileBusy<T>(timeoutMs: number, path: string, attempt: () => T): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (let delay = 1; ; delay = Math.min(delay * 2, 10)) {
    try {
      return attempt();
    } catch (error) {
      const mapped = ledgerError(error, path);
      const busy = mapped instanceof LukhasError && mapped.code === 'LEDGER_BUSY';
      if (!busy || performance.now() + delay > giveUpAt) throw mapped;
    }
    await wait(delay);
  }
}

function openForWriting(path: string): Database.Database {
  createFile(path);
  return configured(connect(path), (db) => {
    const current = ofOneMoment(db, () => {
      const own = isCurrent(db, path);
      requireOwnSchema(db, path);
      return own;
    });
    // Only possible before the first table: free pages can later be given back to the file system, some at a time.
    if (db.pragma('page_count', { simple: true }) === 0) db.pragma('auto_vacuum = INCREMENTAL');
    const mode = db.pragma('journal_mode = WAL', { simple: true });
    if (mode !== 'wal') {
      throw new LukhasError('LEDGER_UNAVAILABLE', `The file system of ${path} does not support write-ahead logging`, {
        suggestions: ['Choose a file on a local disk with --db.'],
      });
    }
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    if (!current) migrate(db, path);
  });
}

function createFile(path: string): void {
  const owner = ownerFor(path);
  makeFolder(dirname(path), 0o700, owner);
  try {
    makeFile(path, owner);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    requireFile(path, statSync(path));
    // SQLite would only say that it cannot open the file.
    accessSync(path, constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
  }
}

/** Made by root, the database belongs to the owner of its folder; what SQLite makes beside it then does so, too. */
function makeFile(path: string, owner: Owner | null): void {
  const folder = openFolder(dirname(path), owner);
  try {
    const file = openSync(join(folder.path, basename(path)), 'wx', 0o600);
    try {
      giveTo(file, owner, path);
    } finally {
      closeSync(file);
    }
  } finally {
    folder.close();
  }
}

/** @throws LukhasError LEDGER_UNAVAILABLE when there is nothing to open */
function requireLedger(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw noLedger(path, 'no ledger found');
  if (size === 0) throw noLedger(path, 'contains no ledger');
}

function noLedger(path: string, what: string): LukhasError {
  return new LukhasError('LEDGER_UNAVAILABLE', `${path}: ${what}`, {
    suggestions: ['Check the path given with --db, or start a canary first.'],
  });
}

/** SQLite opens what it is given, and opening a pipe waits for its other end. */
function requireFile(path: string, found: Stats): void {
  if (found.isFile()) return;
  const what = found.isDirectory() ? 'is a folder, not a ledger' : 'is not a file';
  throw new LukhasError('LEDGER_UNAVAILABLE', `${path} ${what}`, { suggestions: ['Pass a file with --db.'] });
}

function openForReading(path: string, anySchema: boolean): Database.Database {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw noLedger(path, 'no ledger found');
  requireFile(path, found);
  const check = (db: Database.Database) => {
    const readable = ofOneMoment(db, () => {
      if (!isReadable(db, path)) return false;
      if (!anySchema) requireOwnSchema(db, path);
      return true;
    });
    if (readable) return;
    throw noLedger(path, 'contains no ledger');
  };
  try {
    return configured(connect(path, true), check);
  } catch (error) {
    if (!/^SQLITE_(CANTOPEN|READONLY)/.test(errorCode(error))) throw error;
    if (hasUnmergedEntries(path)) throw needsWriting(path, error);
    // Without a write-ahead log there is no writer, and the file is complete.
    return configured(connectToCopy(path), check);
  }
}

function hasUnmergedEntries(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function needsWriting(path: string, cause: unknown): LukhasError {
  return new LukhasError(
    'LEDGER_READ_ONLY',
    `The ledger ${path} has recent entries in ${path}-wal that cannot be read without write access to its folder`,
    { suggestions: [`Copy ${path} and ${path}-wal to a folder that you can write to, and read the copy.`], cause },
  );
}

/** Waiting is `whileBusy`'s. */
function connect(path: string, readonly = false): Database.Database {
  return new Database(path, { timeout: 0, readonly, fileMustExist: true });
}

/** The file as it stands, in memory: this build of SQLite takes no URI, so there is no `immutable=1`. */
function connectToCopy(path: string): Database.Database {
  const file = readFileSync(path);
  // Versions 2 in the header ask for a write-ahead log, which memory does not have (file format, 1.3.3).
  if (file.length > 19) file.fill(1, 18, 20);
  return new Database(file, { readonly: true });
}

/** Another process may be bringing the database up to date. */
function ofOneMoment<T>(db: Database.Database, read: () => T): T {
  return db.transaction(read)();
}

function configured(db: Database.Database, configure: (db: Database.Database) => void): Database.Database {
  try {
    configure(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

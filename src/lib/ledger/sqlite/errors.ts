import { type ErrorCode, LukhasError } from '../../errors.js';
import { addonError } from './addon.js';

interface Meaning {
  code: ErrorCode;
  /** After `The ledger PATH `. */
  says: string;
  suggestion: string;
}

const BUSY: Meaning = {
  code: 'LEDGER_BUSY',
  says: 'is locked by another process and did not become free in time',
  suggestion: 'Try again. If that does not help, find the process that has the file open (lsof or fuser).',
};
const FULL: Meaning = {
  code: 'LEDGER_FULL',
  says: 'cannot grow: its disk is full or refuses writes',
  suggestion: 'Free disk space or raise the quota, then run the command again; nothing was partly recorded.',
};
const FAILING: Meaning = {
  code: 'LEDGER_FULL',
  says: 'could not be written or read: its disk reports an error or is full',
  suggestion:
    'Check the free space and the health of the disk, then run the command again; nothing was partly recorded.',
};
const READ_ONLY: Meaning = {
  code: 'LEDGER_READ_ONLY',
  says: 'is not writable by this user',
  suggestion: 'Give this user write access to the file and to its folder, or choose another file with --db.',
};
const CORRUPT: Meaning = {
  code: 'LEDGER_CORRUPT',
  says: 'is damaged or is not a database',
  suggestion: 'Check the path given with --db; if it is right, restore the file from a backup.',
};
const CONFLICT: Meaning = {
  code: 'LEDGER_CONFLICT',
  says: 'refused a record that contradicts an existing one',
  suggestion: 'Check the current state, then try again.',
};
const UNAVAILABLE: Meaning = {
  code: 'LEDGER_UNAVAILABLE',
  says: 'cannot be opened',
  suggestion: 'Check the path given with --db and the access rights of its folders.',
};

/** By the beginning of SQLite's or the system's error code; the first that fits. */
const MEANINGS: readonly (readonly [string, Meaning])[] = [
  ['SQLITE_BUSY', BUSY],
  ['SQLITE_LOCKED', BUSY],
  ['SQLITE_PROTOCOL', BUSY],
  ['SQLITE_FULL', FULL],
  ['SQLITE_IOERR', FAILING],
  ['SQLITE_READONLY', READ_ONLY],
  ['SQLITE_CORRUPT', CORRUPT],
  ['SQLITE_NOTADB', CORRUPT],
  ['SQLITE_CONSTRAINT', CONFLICT],
  ['SQLITE_CANTOPEN', UNAVAILABLE],
  ['SQLITE_PERM', UNAVAILABLE],
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EIO', FAILING],
  ['EACCES', READ_ONLY],
  ['EPERM', READ_ONLY],
  ['EROFS', READ_ONLY],
  ['EISDIR', UNAVAILABLE],
  ['ENOTDIR', UNAVAILABLE],
  ['EEXIST', UNAVAILABLE],
  ['ENOENT', UNAVAILABLE],
  ['ENAMETOOLONG', UNAVAILABLE],
  ['ELOOP', UNAVAILABLE],
];

/** better-sqlite3 13 needs it, and ends the process with a segmentation fault where it is older: Node.js before 22.14. */
const NODE_API = 10;

/** Taken away while it was open: every statement fits the schema that it was opened with. */
const GONE = /^SQLITE_ERROR no such (?:table|column):/;

/** What an error of SQLite or the file system means to a user; any other error comes back as it is. */
export function ledgerError(error: unknown, path: string): unknown {
  if (error instanceof LukhasError) return error;
  const notLoaded = addonError(error);
  if (notLoaded !== null) return notLoaded;
  const code = errorCode(error);
  const { message } = error as Error;
  const meaning = GONE.test(`${code} ${message}`) ? CORRUPT : MEANINGS.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (meaning === undefined) return error;
  // Errors of the file system begin with their code, those of SQLite do not.
  const detail = message.startsWith(code) ? message : `${code}: ${message}`;
  return new LukhasError(meaning.code, `The ledger ${path} ${meaning.says} (${detail})`, {
    suggestions: [meaning.suggestion],
    cause: error,
  });
}

/** @throws LukhasError LEDGER_UNAVAILABLE where better-sqlite3 would end the process */
export function requireNodeApi(): void {
  if (Number(process.versions.napi) >= NODE_API) return;
  throw new LukhasError(
    'LEDGER_UNAVAILABLE',
    `Node.js ${process.versions.node} cannot open a ledger: 22.14, or 24 or newer, is required`,
  );
}

/** Code of an error of SQLite or the file system, or an empty string. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

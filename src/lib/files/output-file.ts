import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { cannotWrite, LukhasError } from '../errors.js';
import { type OpenFolder, type Owner, openFolder } from '../process/index.js';
import { removeAbandoned } from './partial-file.js';
import { refuseNoFile, wholeFile } from './whole-file.js';

/** What an output may take the place of. */
export interface Replaceable {
  /** What was meant to be there, in words: "evidence pack". */
  what: string;
  /** Whether a file is one, by its first bytes (at most 64 KiB). */
  isOne(head: Buffer): boolean;
  /** What permits to replace any other file; null: nothing does. */
  force: string | null;
}

/** A file that somebody asked for by its name. */
export interface Output {
  /** As it was given. */
  path: string;
  /** That named it: `--out`. */
  flag: string;
  kind: Replaceable;
  /** Whether another file than one of this kind may be replaced. */
  forced?: boolean;
  /** The owner of the database, as root: what is written into a folder of theirs is theirs, all else root's. */
  owner?: Owner | null;
}

const LOOKED_AT = 64 * 1024;

/**
 * A slip of the keyboard must not cost somebody a file: what is no older output of the same kind is not replaced, nor, by
 * anything, what is no file at all. Empty files are. The folder has to be there.
 * @throws LukhasError USAGE; CONFIG where root would follow a link of another user
 */
export async function refuseToReplace({ path, flag, kind, forced = false }: Output): Promise<void> {
  const [target, name] = [resolve(path), `${flag} ${path}`];
  let folder: OpenFolder | null = null;
  try {
    folder = openFolder(dirname(target), null);
    const there = join(folder.path, basename(target));
    const head = (await refuseNoFile(there, name)) ? await headOf(there) : null;
    // With a slash at its end only a folder is found.
    if (head === null) await stat(`${folder.path}${sep}`);
    if (head === null || head.length === 0 || forced || kind.isOne(head)) return;
  } catch (error) {
    throw fileError(error, name);
  } finally {
    folder?.close();
  }
  throw new LukhasError('USAGE', `${name}: already exists and is not a valid ${kind.what}; not overwritten`, {
    suggestions: [
      kind.force === null
        ? 'Choose another file name.'
        : `Choose another file name, or overwrite it with ${kind.force}.`,
    ],
  });
}

/**
 * Writes an output whole or not at all, having removed what writers that were killed have left beside it.
 * @param now ms since the epoch
 * @param fill writes the file
 * @param failed the error for what ends a file that was begun, such as a full disk; why, in words
 * @throws LukhasError USAGE for what cannot be replaced or written; CONFIG where root would follow a link of another user; what
 *   `fill` throws
 */
export async function writeOutput<T>(
  output: Output,
  now: number,
  fill: (file: FileHandle) => Promise<T>,
  failed = (name: string, why: string, cause: unknown) =>
    cannotWrite('USAGE', `${name}: cannot be written (${why})`, cause),
): Promise<T> {
  await refuseToReplace(output);
  const [target, name] = [resolve(output.path), `${output.flag} ${output.path}`];
  try {
    const owner = await preparedFor(target, output.owner ?? null, now);
    const written = await wholeFile(target, { place: 'replace', owner }, fill);
    return written!.result;
  } catch (cause) {
    const error = fileError(cause, name);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof LukhasError || code === undefined || syscall === undefined) throw error;
    throw failed(name, FAILED[code] ?? code, cause);
  }
}

/** Removes from its folder what others have left. @returns whom the file is to belong to */
async function preparedFor(target: string, owner: Owner | null, now: number): Promise<Owner | null> {
  const folder = openFolder(dirname(target), owner);
  try {
    // Before anything is written, as they may be what fills the disk.
    await removeAbandoned(folder.path, now);
    return owner !== null && (await stat(folder.path)).uid === owner.uid ? owner : null;
  } finally {
    folder.close();
  }
}

async function headOf(target: string): Promise<Buffer> {
  const file = await open(target, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const CANNOT_BE: Readonly<Record<string, string>> = {
  ENOENT: 'folder not found',
  ENOTDIR: 'folder not found',
  EISDIR: 'it is a folder',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
};

const FAILED: Readonly<Record<string, string>> = { ENOSPC: 'the disk is full', EDQUOT: 'the disk quota is exceeded' };

/** What the file system says of an output that cannot be made, in words; all else as it is. */
function fileError(cause: unknown, name: string): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  const why = syscall === undefined ? undefined : CANNOT_BE[code ?? ''];
  if (cause instanceof LukhasError || why === undefined) return cause;
  return cannotWrite('USAGE', `${name}: cannot be written (${why})`, cause);
}

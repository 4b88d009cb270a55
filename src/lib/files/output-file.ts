import { open, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { LukhasError } from '../errors.js';

/** What an output may take the place of. */
export interface Replaceable {
  /** What was meant to be there, in words: "evidence pack". */
  what: string;
  /** Whether a file is one, by its first bytes (at most 64 KiB). */
  isOne(head: Buffer): boolean;
  /** What permits to replace any other file; null: nothing does. */
  force: string | null;
}

const LOOKED_AT = 64 * 1024;

/**
 * A slip of the keyboard must not cost somebody a file: what is no older output of the same kind is not replaced, nor, by
 * anything, what is no file at all. Empty files are. The folder has to be there.
 * @param target absolute path
 * @param name how an error calls it, as `--out march.zip`
 * @param forced whether another file may be replaced
 * @throws LukhasError USAGE
 */
export async function refuseToReplace(
  target: string,
  name: string,
  { what, isOne, force }: Replaceable,
  forced = false,
): Promise<void> {
  const head = await headOf(target, name);
  if (head === null) await requireFolder(target, name);
  if (head === null || head.length === 0 || forced || isOne(head)) return;
  throw new LukhasError('USAGE', `${name}: already exists and is not a valid ${what}; not overwritten`, {
    suggestions: [
      force === null ? 'Choose another file name.' : `Choose another file name, or overwrite it with ${force}.`,
    ],
  });
}

/** Null when nothing is there. */
async function headOf(target: string, name: string): Promise<Buffer | null> {
  try {
    // Looked at before it is opened: to open a pipe waits for somebody at its other end.
    const found = await stat(target);
    if (!found.isFile())
      throw new LukhasError('USAGE', `${name}: is ${found.isDirectory() ? 'a folder' : 'not a regular file'}`);
    const file = await open(target, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw fileError(error, name);
  }
}

async function requireFolder(target: string, name: string): Promise<void> {
  try {
    // With a slash at its end only a folder is found.
    await stat(`${dirname(target)}${sep}`);
  } catch (error) {
    throw fileError(error, name);
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

/**
 * What the file system says of an output that cannot be made, in words; all else as it is.
 * @param name how the error calls it
 */
export function fileError(cause: unknown, name: string): unknown {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  const why = syscall === undefined ? undefined : CANNOT_BE[code ?? ''];
  if (cause instanceof LukhasError || why === undefined) return cause;
  return new LukhasError('USAGE', `${name}: cannot be written (${why})`, { cause });
}

import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LukhasError } from '../errors.js';

/** What the umask leaves of it. */
const ANY_MODE = 0o666;
const OTHERS_WRITE = 0o022;

/**
 * Makes a file that is there whole and for good when the promise resolves, or not at all; the folder too, when it is missing.
 * @returns false when there is a file already: of several processes one makes it
 */
export async function createFile(path: string, content: string | Uint8Array, mode = ANY_MODE): Promise<boolean> {
  return throughBeside(path, { content, mode }, async (beside) => {
    try {
      await link(beside, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Puts the whole content in the place of what is there; a reader sees either, and a crash leaves either. */
export async function replaceFile(path: string, content: string | Uint8Array, mode = ANY_MODE): Promise<void> {
  await throughBeside(path, { content, mode }, (beside) => rename(beside, path));
}

/** @param danger what others could do there, in words. @throws LukhasError CONFIG when others than the owner may write to the folder */
export async function refuseOpenFolder(folder: string, danger: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & OTHERS_WRITE) === 0) return;
  throw new LukhasError('CONFIG', `${folder}: other users can write to this folder and ${danger}`, {
    suggestions: [`chmod 700 ${folder}`],
  });
}

async function throughBeside<T>(
  path: string,
  { content, mode }: { content: string | Uint8Array; mode: number },
  place: (beside: string) => Promise<T>,
): Promise<T> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const beside = join(folder, `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(beside, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    const placed = await place(beside);
    await syncFolder(folder);
    return placed;
  } finally {
    await rm(beside, { force: true });
  }
}

/** A name is on disk for good when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

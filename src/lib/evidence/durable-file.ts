import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Makes a file that is there whole and for good when the promise resolves, or not at all; the folder too, when it is missing.
 * @returns false when there is a file already: of several processes one makes it
 */
export async function createFile(path: string, content: string | Uint8Array): Promise<boolean> {
  return throughBeside(path, content, async (beside) => {
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
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  await throughBeside(path, content, (beside) => rename(beside, path));
}

async function throughBeside<T>(
  path: string,
  content: string | Uint8Array,
  place: (beside: string) => Promise<T>,
): Promise<T> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const beside = join(folder, `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(beside, 'wx');
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

import { type FileHandle, link, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { LukhasError } from '../errors.js';
import { giveTo, makeFolder, type Owner, openFolder } from '../process/index.js';
import { partialFile } from './partial-file.js';

/** What the umask leaves of it. */
const ANY_MODE = 0o666;
const ANY_FOLDER_MODE = 0o777;
const OTHERS_WRITE = 0o022;

/** `new`: only where nothing is, a link that leads nowhere included. `replace`: also in the place of a file. */
type Place = 'new' | 'replace';

/** What a file of our own is like. */
export interface FileKind {
  mode?: number;
  /** Whom it belongs to where root writes it; null: whoever writes. */
  owner?: Owner | null;
}

/**
 * The one way in which a whole file is written: filled beside its place, on disk, then moved there. A reader, and a crash
 * at any moment, finds what was there before or all of the new one.
 * @param fill writes the file; when it throws nothing is left
 * @returns what `fill` did; null when it was to be `new` and is not: of several processes one makes it
 * @throws LukhasError USAGE for what is no file and stays what it is: a link, a folder, a pipe, a device
 */
export async function wholeFile<T>(
  path: string,
  { place, mode = ANY_MODE, owner = null }: FileKind & { place: Place },
  fill: (file: FileHandle) => Promise<T>,
): Promise<{ result: T } | null> {
  const folder = openFolder(dirname(path), owner);
  try {
    return await writtenIn(folder.path, path, { place, mode, owner }, fill);
  } finally {
    folder.close();
  }
}

async function writtenIn<T>(
  folder: string,
  called: string,
  { place, mode, owner }: Required<FileKind> & { place: Place },
  fill: (file: FileHandle) => Promise<T>,
): Promise<{ result: T } | null> {
  const path = join(folder, basename(called));
  if (place === 'replace') await refuseNoFile(path, called);
  const beside = partialFile(folder);
  try {
    const file = await open(beside, 'wx', mode);
    let result: T;
    try {
      giveTo(file.fd, owner, called);
      result = await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    if (place === 'replace') await rename(beside, path);
    else if (!(await linked(beside, path))) return null;
    await syncFolder(folder);
    return { result };
  } finally {
    await rm(beside, { force: true });
  }
}

/** What is written is appended to the file, which stays open: it is not on disk yet. */
export function writableOf(file: FileHandle): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      file.appendFile(chunk).then(() => done(), done);
    },
  });
}

/** Makes the file, and the folder when it is missing. @returns false when something is there already */
export async function createFile(path: string, content: string | Uint8Array, kind: FileKind = {}): Promise<boolean> {
  makeFolder(dirname(path), ANY_FOLDER_MODE, kind.owner ?? null);
  return (await wholeFile(path, { ...kind, place: 'new' }, (file) => file.writeFile(content))) !== null;
}

/** Puts the content in the place of the file that is there, if one is; makes the folder when it is missing. */
export async function replaceFile(path: string, content: string | Uint8Array, kind: FileKind = {}): Promise<void> {
  makeFolder(dirname(path), ANY_FOLDER_MODE, kind.owner ?? null);
  await wholeFile(path, { ...kind, place: 'replace' }, (file) => file.writeFile(content));
}

/** @param danger what others could do there, in words. @throws LukhasError CONFIG when others than the owner may write to the folder */
export async function refuseOpenFolder(folder: string, danger: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & OTHERS_WRITE) === 0) return;
  throw new LukhasError('CONFIG', `${folder}: other users can write to this folder and ${danger}`, {
    suggestions: [`chmod 700 ${folder}`],
  });
}

/**
 * Whether there is a file to be replaced, false when nothing is there. Nobody else's pipe is opened to find out.
 * @param name how an error calls it
 * @throws LukhasError USAGE for what is no file
 */
export async function refuseNoFile(path: string, name = path): Promise<boolean> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null || found.isFile()) return found !== null;
  const what = found.isSymbolicLink() ? 'a link' : found.isDirectory() ? 'a folder' : 'a pipe or a device';
  throw new LukhasError('USAGE', `${name}: is ${what}, not a regular file; not overwritten`, {
    suggestions: found.isSymbolicLink() ? ['Name the file that it points to.'] : [],
  });
}

/** A link, unlike a move, never takes the place of anything. */
async function linked(beside: string, path: string): Promise<boolean> {
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A name is on disk for good when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

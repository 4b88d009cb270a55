import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { giveTo, isRootsAlone, type Owner, openFolder } from '../../process/index.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import type { AnchorContext } from './target.js';

const APPENDING = constants.O_RDWR | constants.O_APPEND;
const FILE_MODE = 0o644;
const ROOT = 0;

/**
 * Appends one line of JSON, `{"ts","origin","size","root","note"}`, root in hex, and syncs it to disk.
 * @throws LukhasError ANCHOR_FAILED; CONFIG when root would follow a link of another user to the folder
 */
export async function appendToFile(
  path: string,
  { origin, size, root, note }: KeptCheckpoint,
  { now, owner }: AnchorContext,
): Promise<string> {
  const line = `${JSON.stringify({ ts: timestamp(now()), origin, size, root: root.toString('hex'), note })}\n`;
  try {
    const file = await openedFor(owner, path);
    try {
      // One write, so that lines of several writers do not mix. Starts a new line after one that a crash cut off.
      await file.appendFile((await endsInNewline(file)) ? line : `\n${line}`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof LukhasError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new LukhasError('ANCHOR_FAILED', `${path}: cannot append the checkpoint (${code ?? String(cause)})`, {
      cause,
    });
  }
  return 'line appended';
}

/**
 * As root: through the folder, whose owner could meanwhile put another in its place. No link of another user is followed, and a new
 * file in a folder of the service belongs to the service, which will append to it.
 */
async function openedFor(owner: Owner | null, path: string): Promise<FileHandle> {
  if (process.geteuid?.() !== ROOT) return open(path, APPENDING | constants.O_CREAT, FILE_MODE);
  const folder = openFolder(dirname(path), owner);
  try {
    const place = join(folder.path, basename(path));
    const at = await stat(folder.path);
    const made = await createdIn(place);
    if (made === null) return await open(place, isRootsAlone(at) ? APPENDING : APPENDING | constants.O_NOFOLLOW);
    if (owner !== null && at.uid === owner.uid) await given(made, owner, path);
    return made;
  } finally {
    folder.close();
  }
}

/** Null when something is there. */
async function createdIn(place: string): Promise<FileHandle | null> {
  try {
    return await open(place, APPENDING | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
}

async function given(file: FileHandle, owner: Owner, path: string): Promise<void> {
  try {
    giveTo(file.fd, owner, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function endsInNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

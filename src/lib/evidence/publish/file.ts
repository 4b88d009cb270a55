import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { giveTo, isRootsAlone, type Owner } from '../../process/index.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import type { AnchorContext } from './target.js';

const APPENDING = constants.O_RDWR | constants.O_APPEND;
const FILE_MODE = 0o644;

/**
 * Appends one line of JSON, `{"ts","origin","size","root","note"}`, root in hex, and syncs it to disk.
 * @throws LukhasError ANCHOR_FAILED
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
    const { code } = cause as NodeJS.ErrnoException;
    throw new LukhasError('ANCHOR_FAILED', `${path}: cannot append the checkpoint (${code ?? String(cause)})`, {
      cause,
    });
  }
  return 'line appended';
}

/** As root, a new file belongs to the service that will append to it, and a link of another user is not followed. */
async function openedFor(owner: Owner | null, path: string): Promise<FileHandle> {
  if (owner === null) return open(path, APPENDING | constants.O_CREAT, FILE_MODE);
  try {
    const file = await open(path, APPENDING | constants.O_CREAT | constants.O_EXCL, FILE_MODE);
    giveTo(file.fd, owner, path);
    return file;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const mayFollow = isRootsAlone(await stat(dirname(path)));
    return open(path, mayFollow ? APPENDING : APPENDING | constants.O_NOFOLLOW);
  }
}

async function endsInNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

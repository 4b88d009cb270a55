import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import type { AnchorContext } from './target.js';

/**
 * Appends one line of JSON, `{"ts","origin","size","root","note"}`, root in hex, and syncs it to disk.
 * @throws LukhasError ANCHOR_FAILED
 */
export async function appendToFile(
  path: string,
  { origin, size, root, note }: KeptCheckpoint,
  { now }: AnchorContext,
): Promise<string> {
  const line = `${JSON.stringify({ ts: timestamp(now()), origin, size, root: root.toString('hex'), note })}\n`;
  try {
    const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o644);
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

async function endsInNewline(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

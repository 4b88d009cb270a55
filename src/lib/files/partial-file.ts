import { randomBytes } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatProcess, lifeOf, parseProcess, thisProcess } from '../process/index.js';

/** Whoever writes does so all the time; this much silence is believed of a process of which nobody here knows whether it lives. */
const SILENT_MS = 86_400_000;

/** Also what SQLite makes beside a database that is written so. */
const NAME = /^\.lukhas-(?<by>.+)-[0-9a-f]{8}\.tmp(?:-journal|-wal|-shm)?$/;

/** Where a file of `folder` is written until it is whole: a name that says by which process. */
export function partialFile(folder: string): string {
  return join(folder, `.lukhas-${formatProcess(thisProcess())}-${randomBytes(4).toString('hex')}.tmp`);
}

/**
 * Removes the partial files of processes that were killed: those that certainly do not live any more, and, where nobody here
 * can say so (another machine, another container), those that have written nothing for a day.
 * @param now ms since the epoch
 * @throws what the file system fails with, unless somebody else has to remove the file
 */
export async function removeAbandoned(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(unlessOthers);
  for (const name of names ?? []) {
    const { by } = NAME.exec(name)?.groups ?? {};
    if (by === undefined) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(unlessOthers);
    if (!found?.isFile()) continue;
    const life = lifeOf(parseProcess(by));
    const abandoned = life === 'dead' || (life === 'unknown' && now - found.mtimeMs > SILENT_MS);
    if (abandoned) await rm(path).catch(unlessOthers);
  }
}

/** There is none any more, or it is another user's: that is no reason not to write a file. */
function unlessOthers(error: NodeJS.ErrnoException): null {
  if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(error.code ?? '')) return null;
  throw error;
}

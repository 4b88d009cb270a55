import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { Config } from '../lib/app/index.js';
import { checkpointFolder, folderOf } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';

/**
 * No output may take the place of the log, its keys or its checkpoints, whatever else is permitted.
 * @param path as it was given; relative to the working directory
 * @param flag that named it
 * @throws LukhasError USAGE
 */
export async function refuseOwnFiles(
  { cwd, dbPath, keys }: Pick<Config, 'cwd' | 'dbPath' | 'keys'>,
  path: string,
  flag: string,
): Promise<void> {
  const target = resolve(cwd, path);
  const checkpoints = checkpointFolder({ dbPath });
  const own = [dbPath, `${dbPath}-wal`, `${dbPath}-shm`, keys.log, keys.export];
  const same = await Promise.all(own.map(async (file) => file === target || (await isSame(file, target))));
  if (!same.includes(true) && !(folderOf(target) + sep).startsWith(checkpoints + sep)) return;
  throw new LukhasError('USAGE', `${flag} ${path}: is a file of the log itself and is never overwritten`, {
    suggestions: ['Choose another file name.'],
  });
}

/** Under whatever name: links lead to the same file. */
async function isSame(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)));
  if (!a || !b) return false;
  return a.dev === b.dev && a.ino === b.ino;
}

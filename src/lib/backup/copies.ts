import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The signed checkpoint beside a copy has the same name with this ending. */
const CHECKPOINT_ENDING = '.checkpoint';
const ENDING = '.db.age';
const NAME = /^lukhas-(?<log>[0-9a-f]{8})-(?<at>\d{8}T\d{6}Z)\.db\.age$/;

/** Tells copies of one log from those of another in the same folder: from its first entry, which never changes. */
export function logIdOf(firstLeaf: Buffer | null): string {
  return (firstLeaf ?? createHash('sha256').update('empty').digest()).toString('hex').slice(0, 8);
}

/** @param now ms since the epoch */
export function copyName(logId: string, now: number): string {
  const at = new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '');
  return `lukhas-${logId}-${at}${ENDING}`;
}

/** The name of the checkpoint that belongs to a copy. */
export function checkpointNameOf(copy: string): string {
  return `${copy.endsWith(ENDING) ? copy.slice(0, -ENDING.length) : copy}${CHECKPOINT_ENDING}`;
}

/** Copies of a log in a folder, oldest first. @throws what the file system fails with */
async function copiesOf(folder: string, logId: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => NAME.exec(name)?.groups?.['log'] === logId).sort();
}

/**
 * Removes all but the newest copies of a log, each with its checkpoint. Files of other logs, and all others, stay.
 * @returns the names of the copies that were removed
 * @throws what the file system fails with
 */
export async function keepNewest(folder: string, logId: string, keep: number): Promise<string[]> {
  const old = (await copiesOf(folder, logId)).slice(0, -keep);
  for (const name of old) {
    await rm(join(folder, name), { force: true });
    await rm(join(folder, checkpointNameOf(name)), { force: true });
  }
  return old;
}

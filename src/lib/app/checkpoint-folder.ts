import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the checkpoints of a database are kept: `checkpoints/` beside it. */
export function checkpointFolder({ dbPath }: { dbPath: string }): string {
  return join(folderOf(dbPath), 'checkpoints');
}

/** The folder that a file is in, or is to be made in; whatever links lead to it, it is the same one. */
export function folderOf(path: string): string {
  return resolved(path, dirname) ?? resolved(dirname(path)) ?? dirname(path);
}

/** Null when there is nothing, or it cannot be looked at: opening it says what is wrong. */
function resolved(path: string, of = (real: string) => real): string | null {
  try {
    return of(realpathSync.native(path));
  } catch {
    return null;
  }
}

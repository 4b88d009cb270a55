import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createFile } from '../files/index.js';
import type { Owner } from '../process/index.js';

/** Folders beside a database. */
interface EvidencePlaces {
  keys: string;
  checkpoints: string;
}

/** In the folder of keys: the name of the database that they were made for. */
const MADE_FOR = 'database';

/**
 * Where the keys and checkpoints of a database are: `keys/` and `checkpoints/` beside it. Where those were made for another
 * database of that folder, `NAME.keys/` and `NAME.checkpoints/`: two logs must not sign under one name, since each would
 * look like a rewritten history of the other.
 */
export function evidencePlaces(dbPath: string): EvidencePlaces {
  const folder = folderOf(dbPath);
  const shared = { keys: join(folder, 'keys'), checkpoints: join(folder, 'checkpoints') };
  const owner = madeFor(shared.keys);
  const name = nameOf(dbPath);
  if (owner === null || owner === name) return shared;
  return { keys: join(folder, `${name}.keys`), checkpoints: join(folder, `${name}.checkpoints`) };
}

/** Where the checkpoints of a database are kept. */
export function checkpointFolder({ dbPath }: { dbPath: string }): string {
  return evidencePlaces(dbPath).checkpoints;
}

/** Notes, beside keys that were just made in their usual place, for which database. @param owner whom it belongs to where root makes it */
export async function noteMadeFor(dbPath: string, keys: string, owner: Owner | null): Promise<void> {
  if (keys === join(folderOf(dbPath), 'keys')) await createFile(join(keys, MADE_FOR), `${nameOf(dbPath)}\n`, { owner });
}

/** Null where nobody says so: keys that older versions made, or that somebody put there. */
function madeFor(keys: string): string | null {
  try {
    return readFileSync(join(keys, MADE_FOR), 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** The folder that a file is in, or is to be made in; whatever links lead to it, it is the same one. */
export function folderOf(path: string): string {
  return resolved(path, dirname) ?? resolved(dirname(path)) ?? dirname(path);
}

function nameOf(path: string): string {
  return resolved(path, basename) ?? basename(path);
}

/** Null when there is nothing, or it cannot be looked at: opening it says what is wrong. */
function resolved(path: string, of = (real: string) => real): string | null {
  try {
    return of(realpathSync.native(path));
  } catch {
    return null;
  }
}

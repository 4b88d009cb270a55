import { LukhasError } from '../../errors.js';
import type { Ledger } from '../../ledger/index.js';
import { type Checkpoint, parseCheckpoint, parseNote, refused } from '../formats/index.js';
import type { CheckpointFiles } from './files.js';

export interface KeptCheckpoint extends Checkpoint {
  /** The signed note, with all signatures so far. */
  note: string;
}

/** @throws LukhasError VERIFICATION when there is none of this size, or its file is invalid; CONFIG when it cannot be read */
export async function readKept(files: CheckpointFiles, size: number): Promise<KeptCheckpoint> {
  const note = await files.read(size);
  const where = files.pathOf(size);
  if (note === null) throw refused(`${where}: checkpoint not found`);
  try {
    const checkpoint = parseCheckpoint(parseNote(note).text);
    if (checkpoint.size !== size) throw refused(`is a checkpoint of ${checkpoint.size} entries, not of ${size}`);
    return { ...checkpoint, note };
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    throw refused(`${where}: ${cause.message}`, cause);
  }
}

/**
 * Refuses a log that is an older copy or a different log, before anything is recorded in it. Compares the stored tree with the
 * newest checkpoint only; `lukhas verify` recomputes the tree and compares it with all checkpoints.
 * @throws LukhasError VERIFICATION when the log does not begin with what was signed; CONFIG when that cannot be read; LEDGER_*
 */
export async function refuseOlderLog(log: Pick<Ledger, 'size' | 'root'>, files: CheckpointFiles): Promise<void> {
  const newest = (await files.sizes()).at(-1);
  if (newest === undefined) return;
  const last = await readKept(files, newest);
  const size = await log.size();
  if (size < last.size) throw entriesAreGone(size, last, files.folder);
  const { root } = await log.root(last.size);
  if (!root.equals(last.root)) throw otherEntries(last, files.folder);
}

/** @param size of the log */
export function entriesAreGone(size: number, last: Checkpoint, folder: string): LukhasError {
  return rolledBack(`the log has ${size} entries, but ${last.size} were signed in ${folder}: entries are missing`);
}

export function otherEntries(last: Checkpoint, folder: string): LukhasError {
  return rolledBack(`the first ${last.size} entries of the log differ from those that were signed in ${folder}`);
}

export function rolledBack(what: string): LukhasError {
  return new LukhasError('VERIFICATION', what, {
    suggestions: [
      'Nothing was signed or recorded. Was an older copy of the database restored, or does another database in this folder use the same keys?',
      'See docs/witness.md for what to do; the missing entries may be in a backup.',
    ],
  });
}

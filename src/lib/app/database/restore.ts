import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { checkpointNameOf, decrypted, readIdentities } from '../../backup/index.js';
import { timestamp } from '../../clock.js';
import { cannotWrite, LukhasError } from '../../errors.js';
import { partialFile, removeAbandoned, writableOf } from '../../files/index.js';
import type { EventData } from '../../ledger/index.js';
import { openLedger, replaceDatabase, requireUnused } from '../../ledger/sqlite/index.js';
import { giveTo, makeFolder, ownerFor } from '../../process/index.js';
import type { Config } from '../config.js';
import { DATABASE_SUBJECT } from '../database-settings.js';
import { checkpointFolder } from '../evidence-places.js';
import { type CheckedCopy, checkCopy, refused } from './check-copy.js';
import { inFolder } from './on-disk.js';
import type { RestoreRequest } from './restore-request.js';

export interface RestoreResult {
  db: string;
  /** Entries of the copy, and the root hash of its log. */
  size: number;
  root: string;
  /** Of the encrypted copy. */
  sha256: string;
  /** Size of the checkpoint that the copy continues, and whether its signature was verified; null: there was none. */
  checkpoint: { size: number; file: string; verified: boolean } | null;
  /** The database that was there; null: none. */
  kept: string | null;
  /** Entries of the log that it replaced; null: there was none, or it could not be read. */
  replaced: number | null;
  /** Files that were moved aside, since the log cannot continue under the name that signed more than the copy has. */
  setAside: string[];
}

/**
 * Puts an encrypted copy in the place of the database, once all of it is proved: it decrypts to its end, is a whole database,
 * each entry and the root are as recorded, and it continues the checkpoints that were signed. Until then nothing is
 * touched, and the old database is kept.
 * @throws LukhasError VERIFICATION when the copy is cut off, altered, or older than what is there; LEDGER_BUSY when the
 *   database is in use; LEDGER_TOO_NEW; USAGE
 */
export async function restoreBackup(request: RestoreRequest): Promise<RestoreResult> {
  const { config, clock, by } = request;
  const path = config.dbPath;
  const identities = await readIdentities(request.identity);
  requireUnused(path);
  const owner = ownerFor(path);
  makeFolder(dirname(path), 0o700, owner);
  await inFolder(dirname(path), () => removeAbandoned(dirname(path), clock.now()));
  const fresh = partialFile(dirname(path));
  try {
    const sha256 = await decryptTo(fresh, request.file, identities, config);
    const present = await presentLog(path);
    const copy = await checkCopy(fresh, request, present?.size ?? null, beside(request));
    if (!request.older) refuseToLose(copy, present, request);
    const at = freeEnding(
      path,
      timestamp(clock.now())
        .replace(/\.\d+Z$/, 'Z')
        .replace(/[-:]/g, ''),
    );
    const keptAs = `${path}.before-restore-${at}`;
    const kept = (await replaceDatabase(path, fresh, keptAs)) ? keptAs : null;
    const setAside = copy.kept === null || copy.kept.agrees ? [] : await setSigningAside(config, at);
    const replaced = present?.size ?? null;
    const { size, root } = copy;
    await record(path, { by, sha256, size, root, replaced }, clock.now());
    return { db: path, size, root, sha256, checkpoint: copy.checkpoint, kept, replaced, setAside };
  } finally {
    for (const ending of ['', '-journal', '-wal', '-shm']) await rm(`${fresh}${ending}`, { force: true });
  }
}

/** @throws LukhasError of the ledger: the copy is in its place then, and only its log does not say so */
async function record(path: string, data: EventData['backup.restored'], now: number): Promise<void> {
  try {
    const ledger = await openLedger(path, { mustExist: true });
    try {
      await ledger.commit({
        events: [{ kind: 'backup.restored', subject: DATABASE_SUBJECT, ts: timestamp(now), data }],
      });
    } finally {
      await ledger.close();
    }
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    const { code, message, suggestions } = cause;
    throw new LukhasError(code, `The copy was restored, but that was not recorded in its log: ${message}`, {
      suggestions: [...suggestions.slice(0, 1), 'Restore again with --older to have it recorded.'],
      cause,
    });
  }
}

/** Another restore of the same second may have kept what it found. */
function freeEnding(path: string, at: string): string {
  for (let n = 1; ; n++) {
    const ending = n === 1 ? at : `${at}-${n}`;
    if (['', '-wal', '-journal'].every((beside) => !existsSync(`${path}.before-restore-${ending}${beside}`)))
      return ending;
  }
}

/** The checkpoint that was written with the copy, if it is still beside it. */
function beside({ file, checkpoint }: RestoreRequest): string | null {
  if (checkpoint !== null) return checkpoint;
  const path = checkpointNameOf(file);
  return existsSync(path) ? path : null;
}

/** @returns SHA-256 of the encrypted copy, hex */
async function decryptTo(
  fresh: string,
  file: string,
  identities: readonly string[],
  { dbPath }: Config,
): Promise<string> {
  const digest = createHash('sha256');
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      digest.update(chunk);
      done(null, chunk);
    },
  });
  const handle = await open(fresh, 'wx', 0o600);
  try {
    giveTo(handle.fd, ownerFor(dbPath), fresh);
    const source = createReadStream(file);
    // What fails to be read ends what reads from it.
    source.on('error', (error) => measure.destroy(error));
    await pipeline(decrypted(file, source.pipe(measure), identities), writableOf(handle));
    await handle.sync();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (cause instanceof LukhasError || syscall === undefined) throw cause;
    if (code === 'ENOENT') throw new LukhasError('USAGE', `${file}: file not found`, { cause });
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new LukhasError('SYSTEM', `the disk of ${dbPath} has no room for the copy`, {
        suggestions: ['Free space on that disk; nothing was replaced.'],
        cause,
      });
    if (syscall === 'open' || syscall === 'read')
      throw new LukhasError('USAGE', `${file}: cannot be read (${code})`, { cause });
    throw cannotWrite('USAGE', `the copy cannot be written beside ${dbPath} (${code})`, cause);
  } finally {
    await handle.close();
  }
  return digest.digest('hex');
}

/** @throws LukhasError VERIFICATION when what is there, or was signed of it, has entries that the copy lacks, or others */
function refuseToLose(copy: CheckedCopy, present: Present | null, { config, file }: RestoreRequest): void {
  const { kept, size } = copy;
  const last = 'If there is none, restore this one with --older; the old database is kept beside it.';
  const suggestions = ['Look for a newer copy.', last];
  if (present !== null && present.size > size) {
    const lost = `${present.size - size} would be lost`;
    const what = `is older than ${config.dbPath}: it has ${size} entries, the log there has ${present.size}: ${lost}`;
    throw refused(file, what, suggestions);
  }
  if (present !== null && present.root !== copy.rootOfPresent) {
    const what = `its first ${present.size} entries are not those of ${config.dbPath}: it is of another log, or one of them was altered`;
    throw refused(file, what, [`Check the database that is there: lukhas verify --db ${config.dbPath}`, last]);
  }
  if (kept === null || kept.agrees) return;
  const what =
    kept.size > size
      ? `is older than what was signed: it has ${size} entries, the checkpoint ${kept.file} covers ${kept.size}`
      : `its first ${kept.size} entries are not those that were signed in ${kept.file}`;
  throw refused(file, what, suggestions);
}

interface Present {
  size: number;
  /** Hex. */
  root: string;
}

/** The log that is there; null when there is none, or it cannot be read: a damaged one is what copies are for. */
async function presentLog(path: string): Promise<Present | null> {
  if (!existsSync(path)) return null;
  try {
    const ledger = await openLedger(path, { readOnly: true });
    try {
      const { size, root } = await ledger.root();
      return { size, root: root.toString('hex') };
    } finally {
      await ledger.close();
    }
  } catch (error) {
    if (error instanceof LukhasError && error.code !== 'LEDGER_TOO_NEW') return null;
    throw error;
  }
}

/** Others have seen more of the log than there is now: what goes on from here is another log, with a name and key of its own. */
async function setSigningAside(config: Config, at: string): Promise<string[]> {
  const places = [checkpointFolder(config), ...(config.keys.named.log ? [] : [config.keys.log])];
  const moved: string[] = [];
  for (const place of places.filter((each) => existsSync(each))) {
    const to = `${place}.before-restore-${at}`;
    await rename(place, to);
    moved.push(to);
  }
  return moved;
}

import { lstat, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkpointNameOf, checkRecipients, copyName, keepNewest, logIdOf } from '../../backup/index.js';
import { type Clock, timestamp } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { createFile, partialFile } from '../../files/index.js';
import type { Actor, Ledger } from '../../ledger/index.js';
import type { Copied } from '../../ledger/sqlite/index.js';
import { OutputTail, type Owner, ownerFor, programEnvironment, runProgram } from '../../process/index.js';
import { inThread } from '../../threads/index.js';
import { type Config, environment } from '../config.js';
import { DATABASE_SUBJECT } from '../database-settings.js';
import { hasLogKey, openCheckpoints } from '../evidence/index.js';
import { verifyInThread } from '../verify-in-thread.js';
import { onDisk } from './on-disk.js';

export type BackupTarget =
  | { kind: 'folder'; folder: string; keep: number }
  /** Gets the encrypted copy on standard input. */
  | { kind: 'command'; command: readonly string[]; passEnv: readonly string[] };

export interface BackupRequest {
  ledger: Ledger;
  config: Config;
  clock: Clock;
  by: Actor;
  target: BackupTarget;
  /** `age1…`. */
  recipients: readonly string[];
  signal?: AbortSignal | undefined;
}

export interface BackupResult {
  /** Path of the encrypted copy; null: given to a program. */
  file: string | null;
  /** Path of the checkpoint beside it; null: there is no log key. */
  checkpoint: string | null;
  bytes: number;
  sha256: string;
  /** Entries in the copy, and the root hash of its log. */
  size: number;
  root: string;
  recipients: number;
  /** Names of older copies that were removed. */
  removed: string[];
  durationMs: number;
}

/** What the thread does. */
export interface CopyTask {
  dbPath: string;
  to: string;
  /** How errors call the place. */
  flag: string;
  recipients: readonly string[];
  now: number;
}

export interface CopyWritten extends Copied {
  bytes: number;
  sha256: string;
}

const HEAP_MIB = 512;
const PROGRAM_SECONDS = 6 * 3600;
const GRACE_MS = 5_000;
const KEPT_OUTPUT = 4096;

/**
 * Writes an encrypted copy of the database as of one moment, while others go on writing, and records it. The newest
 * checkpoint of the log, made just before, is put beside it: a restored copy has to continue it.
 * @throws LukhasError USAGE, CONFIG: recipients, folder, program; SYSTEM, LEDGER_*; VERIFICATION when the log is not the one
 *   that was signed, or is damaged: then no older copy is removed; the signal's reason
 */
export async function makeBackup(request: BackupRequest): Promise<BackupResult> {
  const { ledger, config, clock, by, target, recipients, signal } = request;
  await checkRecipients(recipients, '--recipient');
  const began = clock.monotonic();
  const now = clock.now();
  if (target.kind === 'folder') await requireFolder(target.folder);
  const note = (await hasLogKey(config)) ? (await (await openCheckpoints({ ledger, config })).make()).note : null;
  const logId = logIdOf((await ledger.size()) === 0 ? null : (await ledger.root(1)).root);
  const { to, checkpoint } =
    target.kind === 'folder'
      ? await placeIn(target.folder, { logId, now, note, owner: ownerFor(config.dbPath) })
      : { to: partialFile(dirname(config.dbPath)), checkpoint: null };
  let copy: CopyWritten;
  try {
    const task: CopyTask = { dbPath: config.dbPath, to, flag: '--to', recipients, now };
    copy = await inThread<CopyWritten>({
      name: 'backup-worker',
      beside: import.meta.url,
      data: task,
      signal,
      heapMiB: HEAP_MIB,
    });
    if (target.kind === 'command') await handOver(target, to, signal);
  } catch (error) {
    if (checkpoint !== null) await rm(checkpoint, { force: true });
    throw error;
  } finally {
    if (target.kind === 'command') await rm(to, { force: true });
  }
  await requireWholeLog(config.dbPath, target, to, signal);
  const durationMs = Math.round(clock.monotonic() - began);
  const { size, root, bytes, sha256 } = copy;
  const file = target.kind === 'folder' ? basename(to) : null;
  const data = { by, file, bytes, sha256, size, root, durationMs };
  await ledger.commit({
    events: [{ kind: 'backup.made', subject: DATABASE_SUBJECT, ts: timestamp(clock.now()), data }],
  });
  const removed =
    target.kind === 'folder' ? await inTarget(target.folder, () => keepNewest(target.folder, logId, target.keep)) : [];
  return {
    file: file === null ? null : to,
    checkpoint,
    bytes,
    sha256,
    size,
    root,
    recipients: recipients.length,
    removed,
    durationMs,
  };
}

/**
 * What a damaged log leaves is no backup: nothing can be restored from it, and it must not push out the copies from which that is
 * still possible.
 * @throws LukhasError VERIFICATION, LEDGER_CORRUPT
 */
async function requireWholeLog(
  path: string,
  target: BackupTarget,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { ok, problems } = await verifyInThread({ path, summaries: false }, signal);
  if (ok) return;
  const copy = target.kind === 'folder' ? `${to} was written and cannot be restored; no older copy was removed` : '';
  throw new LukhasError('VERIFICATION', `the log is damaged: ${problems[0]}${copy === '' ? '' : `. ${copy}`}`, {
    suggestions: ['Run lukhas verify, and restore the newest copy from before the damage: lukhas db restore FILE'],
  });
}

/**
 * A name for the copy that none has, and the checkpoint under it: a copy that is whole has its checkpoint. Of two backups of one
 * second, one takes the next second's name: the checkpoint of one would not fit the copy of the other.
 * @throws LukhasError USAGE, SYSTEM
 */
async function placeIn(
  folder: string,
  { logId, now, note, owner }: { logId: string; now: number; note: string | null; owner: Owner | null },
): Promise<{ to: string; checkpoint: string | null }> {
  for (let at = now; ; at += 1000) {
    const name = copyName(logId, at);
    const to = join(folder, name);
    if ((await lstat(to).catch(() => null)) !== null) continue;
    if (note === null) return { to, checkpoint: null };
    const checkpoint = join(folder, checkpointNameOf(name));
    if (await inTarget(checkpoint, () => createFile(checkpoint, note, { mode: 0o600, owner })))
      return { to, checkpoint };
  }
}

/** @throws LukhasError USAGE, SYSTEM for what the file system fails with */
function inTarget<T>(path: string, work: () => Promise<T>): Promise<T> {
  return onDisk(work, 'USAGE', ({ code }) => `--to ${path}: cannot be written (${code})`);
}

/** @throws LukhasError USAGE */
async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'folder not found' : `cannot be used (${cause.code})`;
    throw new LukhasError('USAGE', `--to ${folder}: ${why}`, {
      suggestions: ['Create the folder, or check that its disk is mounted.'],
      cause,
    });
  });
  if (!found.isDirectory()) throw new LukhasError('USAGE', `--to ${folder}: is not a folder`);
}

async function handOver(
  { command, passEnv }: Extract<BackupTarget, { kind: 'command' }>,
  file: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const tail = new OutputTail(KEPT_OUTPUT);
  const end = await runProgram(command, {
    env: programEnvironment(environment(), passEnv),
    inputFile: file,
    timeoutSeconds: PROGRAM_SECONDS,
    signal,
    graceMs: GRACE_MS,
    onOutput: (chunk) => tail.add(chunk),
  });
  signal?.throwIfAborted();
  if (end.exitCode === 0 && end.inputTaken) return;
  const says = end.exitCode === 0 ? 'ended before it had read the whole copy' : end.says;
  const last = tail
    .text()
    .text.split('\n')
    .findLast((line) => line.trim() !== '');
  throw new LukhasError(
    'SYSTEM',
    `--command ${command[0]}: ${says}${last === undefined ? '' : `: ${last.slice(0, 300)}`}`,
    { suggestions: ['Run the program by hand to see what it needs, then make the backup again.'] },
  );
}

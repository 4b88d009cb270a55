import { LukhasError } from '../../errors.js';
import { CheckpointFiles } from '../../evidence/checkpoints/index.js';
import { type Checkpoint, SIGNATURE_TYPE, type VerifierKey } from '../../evidence/formats/index.js';
import { claimedCheckpoint, verifyLogCheckpoint } from '../../evidence/verify/index.js';
import { MOST_SETTINGS, readLimited } from '../../files/index.js';
import { openLedger } from '../../ledger/sqlite/index.js';
import type { Config } from '../config.js';
import { hasLogKey } from '../evidence/index.js';
import { checkpointFolder } from '../evidence-places.js';
import { readKey } from '../signing-keys.js';
import { verifyAll } from '../verification.js';
import type { RestoreRequest } from './restore-request.js';

/** A copy of which every entry is proved. */
export interface CheckedCopy {
  size: number;
  /** Hex. */
  root: string;
  /** Root over its first entries, as many as the log that is there has, hex; null: it has fewer, or there is none. */
  rootOfPresent: string | null;
  /** The checkpoint that it continues, and whether its signature was verified. */
  checkpoint: { size: number; file: string; verified: boolean } | null;
  /** The newest checkpoint kept on this machine, and whether the copy has what it signed; null: there is none. */
  kept: { size: number; file: string; agrees: boolean } | null;
}

/**
 * Recomputes a decrypted copy and compares it with the checkpoints of its log.
 * @param path of the decrypted copy
 * @param presentSize entries of the log that is there; null: there is none
 * @param checkpoint file of the checkpoint to compare with; null: only those kept on this machine
 * @throws LukhasError VERIFICATION, LEDGER_TOO_NEW, USAGE
 */
export async function checkCopy(
  path: string,
  request: RestoreRequest,
  presentSize: number | null,
  checkpoint: string | null,
): Promise<CheckedCopy> {
  const { file, older } = request;
  const report = await verifyAll(path, { clock: request.clock }).catch((error: unknown) => {
    throw ofTheCopy(error, path, file);
  });
  if (!report.logHolds) throw refused(file, `is damaged: ${report.problems[0]}`);
  const signed = checkpoint === null ? null : await signedBy(checkpoint, request);
  const kept = await newestKept(request.config);
  const { size, root } = report;
  const rootAt = await rootsOf(path, [presentSize, signed?.size, kept?.size], size);
  if (signed !== null) {
    if (signed.size > size && !older)
      throw refused(file, `is older than its log was: it has ${size} entries, ${checkpoint} covers ${signed.size}`);
    if (signed.size <= size && rootAt(signed.size) !== signed.root)
      throw refused(
        file,
        `does not continue ${checkpoint}: its first ${signed.size} entries are not those that were signed`,
      );
  }
  return {
    size,
    root,
    rootOfPresent: presentSize === null ? null : rootAt(presentSize),
    checkpoint:
      signed && checkpoint !== null ? { size: signed.size, file: checkpoint, verified: signed.verified } : null,
    kept: kept && { size: kept.size, file: kept.file, agrees: rootAt(kept.size) === kept.root },
  };
}

/** The tree that is stored was recomputed before. */
async function rootsOf(
  path: string,
  sizes: readonly (number | null | undefined)[],
  most: number,
): Promise<(size: number) => string | null> {
  const roots = new Map<number, string>();
  const ledger = await openLedger(path, { readOnly: true });
  try {
    for (const size of sizes)
      if (size !== null && size !== undefined && size <= most)
        roots.set(size, (await ledger.root(size)).root.toString('hex'));
  } finally {
    await ledger.close();
  }
  return (size) => roots.get(size) ?? null;
}

interface Signed {
  size: number;
  root: string;
  verified: boolean;
}

/**
 * A checkpoint, by the keys that are trusted or, without any, by the log key of this machine; where there is none either, its
 * signature is not verified.
 * @throws LukhasError VERIFICATION, USAGE, CONFIG
 */
async function signedBy(path: string, { config, trust: files, clock }: RestoreRequest): Promise<Signed> {
  const note = await readLimited(path, MOST_SETTINGS).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'file not found' : `cannot be read (${cause.code})`;
    throw new LukhasError('USAGE', `--checkpoint ${path}: ${why}`, { cause });
  });
  const claimed = claimIn(path, note ?? Buffer.alloc(0));
  const { readTrust } = await import('../evidence/verify-file.js');
  const trust = await readTrust(files, clock);
  const key = trust === null ? await ownKey(config, claimed) : null;
  const shown = { size: claimed.size, root: claimed.root.toString('hex') };
  if (trust === null && key === null) return { ...shown, verified: false };
  try {
    verifyLogCheckpoint(note ?? '', { origin: claimed.origin, key, trust });
  } catch (cause) {
    throw new LukhasError('VERIFICATION', `${path}: ${(cause as Error).message}`, {
      suggestions: ['Pass the public key of the log that made the backup: --trust FILE'],
      cause,
    });
  }
  return { ...shown, verified: true };
}

function claimIn(path: string, note: Buffer): Checkpoint {
  try {
    return claimedCheckpoint(note);
  } catch (cause) {
    throw new LukhasError('VERIFICATION', `${path}: not a checkpoint (${(cause as Error).message})`, { cause });
  }
}

async function ownKey(config: Config, { origin }: Checkpoint): Promise<VerifierKey | null> {
  if (!(await hasLogKey(config))) return null;
  const { publicKey } = await readKey(config, 'log');
  return { name: origin, type: SIGNATURE_TYPE.note, publicKey };
}

/** The newest checkpoint that was signed on this machine; null: there is none. @throws LukhasError VERIFICATION, CONFIG */
async function newestKept(config: Config): Promise<{ size: number; root: string; file: string } | null> {
  const files = new CheckpointFiles(checkpointFolder(config));
  const newest = (await files.sizes()).at(-1);
  const note = newest === undefined ? null : await files.read(newest);
  if (newest === undefined || note === null) return null;
  const { size, root } = claimIn(files.pathOf(newest), Buffer.from(note));
  return { size, root: root.toString('hex'), file: files.pathOf(newest) };
}

export function refused(
  file: string,
  what: string,
  suggestions = ['Nothing was replaced. Use another copy.'],
): LukhasError {
  return new LukhasError('VERIFICATION', `${file}: ${what}`, { suggestions });
}

/** Nobody knows the name of the file that it was decrypted to. */
function ofTheCopy(error: unknown, path: string, file: string): unknown {
  if (!(error instanceof LukhasError)) return error;
  const { code, message, suggestions } = error;
  return new LukhasError(code === 'LEDGER_CORRUPT' ? 'VERIFICATION' : code, message.replaceAll(path, file), {
    suggestions: code === 'LEDGER_TOO_NEW' ? ['Upgrade lukhas, then restore again.'] : suggestions,
    cause: error,
  });
}

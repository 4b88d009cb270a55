import { open, stat } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { CheckpointFiles } from '../../evidence/checkpoints/index.js';
import { SIGNATURE_TYPE, type VerifierKey } from '../../evidence/formats/index.js';
import { parseTrustedKeys, type SigningKey, sharedKey, type TrustedKey } from '../../evidence/keys/index.js';
import {
  type ConsistencyProof,
  claimedCheckpoint,
  EvidenceFindings,
  type EvidenceReport,
  joinReports,
  KeptCheck,
  type PackReport,
  type ProofReport,
  verifyLogSince,
  verifyPack,
  verifyProofFile,
  verifyProofSince,
  ZippedPack,
} from '../../evidence/verify/index.js';
import { MOST_SETTINGS, readLimited } from '../../files/index.js';
import type { Ledger } from '../../ledger/index.js';
import { openLedger } from '../../ledger/sqlite/index.js';
import type { SizeWatch } from '../../ledger/verify/index.js';
import type { Config } from '../config.js';
import { checkpointFolder } from '../evidence-places.js';
import { knownOrigin, logOrigin, readKey } from '../signing-keys.js';
import { type FullReport, verifyAll } from '../verification.js';
import { hasLogKey } from './checkpoints.js';

export interface EvidenceRequest {
  /** Files of public keys that the user trusts. */
  trust: readonly string[];
  /** File with an earlier checkpoint of the log. */
  since: string | null;
  /** A database that can prove what a pack alone cannot. */
  db: string | null;
  /** Decides which keys of allowed_signers are valid. */
  clock: Clock;
}

/** The first bytes of each kind of file. */
const PROOF = Buffer.from('c2sp.org/tlog-proof@');
const DATABASE = Buffer.from('SQLite format 3\0');
/** As large as the largest entry, in base64. */
const MAX_PROOF = 128 * 1024 * 1024;

/**
 * Verifies a file: an evidence pack, or the proof of one entry (`.tlog-proof`).
 * @throws LukhasError USAGE: a file that cannot be read; LEDGER_* of the database
 */
export async function verifyEvidence(
  path: string,
  { trust: files, since: sinceFile, db, clock }: EvidenceRequest,
): Promise<({ type: 'pack' } & PackReport) | ({ type: 'proof' } & ProofReport)> {
  const trust = await readTrust(files, clock);
  const since = sinceFile === null ? null : await readCheckpoint(sinceFile);
  const begins = await beginningOf(path);
  if (begins.subarray(0, DATABASE.length).equals(DATABASE)) {
    throw new LukhasError('USAGE', `${path}: this is a database, not a pack or proof`, {
      suggestions: [`lukhas verify --db ${path}`],
    });
  }
  if (since === null && db !== null) {
    throw new LukhasError(
      'USAGE',
      '--db needs --since: the database is only used to prove consistency with that checkpoint.',
    );
  }
  if (!begins.equals(PROOF)) return { type: 'pack', ...(await verifyZip(path, { trust, since, db })) };
  const text = (await readAtMost(path, MAX_PROOF)).toString();
  return { type: 'proof', ...(await verifyProof(text, { trust, since, db })) };
}

/** A request with its files read. */
interface Asked {
  trust: readonly TrustedKey[] | null;
  since: Buffer | null;
  db: string | null;
}

async function verifyProof(text: string, { trust, since, db }: Asked): Promise<ProofReport> {
  const report = verifyProofFile(text, trust);
  const { log } = report;
  if (since === null) return report;
  if (log === null || report.problemCount > 0) {
    const notShown = [...report.notShown, '--since: not compared, because the proof itself is invalid'];
    return { ...report, notShown, ok: false };
  }
  const ledger = db === null ? null : await openLedger(db, { readOnly: true });
  try {
    const checkpoint = { ...log, root: Buffer.from(log.root, 'hex') };
    const then = await verifyProofSince(since, { log: checkpoint, trust, prove: ledger && proofsOf(ledger) });
    return { ...report, ...joinReports(report, then) };
  } finally {
    await ledger?.close();
  }
}

async function verifyZip(path: string, { trust, since, db }: Asked): Promise<PackReport> {
  const ledger = db === null ? null : await openLedger(db, { readOnly: true });
  try {
    const pack = await ZippedPack.open(path);
    try {
      return await verifyPack(pack, { trust, since, prove: ledger && proofsOf(ledger) });
    } finally {
      pack.close();
    }
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'VERIFICATION') throw error;
    const findings = new EvidenceFindings();
    findings.problem(error.message);
    return { ...findings.report(), log: null, window: null, counts: null, keys: null, witnesses: [] };
  } finally {
    await ledger?.close();
  }
}

/**
 * Verifies the database in place, and compares it with the checkpoints kept beside it, and with one kept elsewhere (`since`).
 * That needs no proof: the whole log is recomputed, and with it the root at that size.
 * @throws LukhasError USAGE: a file that cannot be read; LEDGER_UNAVAILABLE, LEDGER_CORRUPT (not a database), LEDGER_TOO_NEW
 */
export async function verifyInPlace(
  config: Config,
  { trust: files, since, clock }: Omit<EvidenceRequest, 'db'>,
): Promise<FullReport & EvidenceReport> {
  const [trust, note] = [await readTrust(files, clock), since === null ? null : await readCheckpoint(since)];
  const kept = await KeptCheck.open(new CheckpointFiles(checkpointFolder(config)));
  const wanted = note === null ? null : claimedCheckpoint(note).size;
  let rootThen: Buffer | null = null;
  const watch: SizeWatch = {
    sizes: wanted === null ? kept.sizes : new Set([...kept.sizes, wanted]),
    take: (size, root) => {
      kept.take(size, root);
      if (size === wanted) rootThen = root;
    },
  };
  const report = await verifyAll(config.dbPath, { watch });
  const own = new EvidenceFindings();
  const key = await ownKey(config, own);
  const parts = [own.report(), await kept.report(report.size, key)];
  if (note !== null) {
    const log = { size: report.size, rootThen };
    const origins = new Set(key === null ? kept.origins : [key.name, ...kept.origins]);
    parts.push(await verifyLogSince(note, { log, key: trust === null ? key : null, trust, origins }));
  }
  return { ...report, ...parts.reduce(joinReports, { ...report, holds: [], notShown: [] }) };
}

function proofsOf(ledger: Ledger): ConsistencyProof {
  return async (first, second) => (second > (await ledger.size()) ? null : ledger.consistencyProof(first, second));
}

/** The log key of this machine; null when there is none, or it cannot be used. */
async function ownKey(config: Config, found: EvidenceFindings): Promise<VerifierKey | null> {
  if (!(await hasLogKey(config))) return null;
  try {
    const key = await readKey(config, 'log');
    const name = await nameOf(config, key);
    return { name, type: SIGNATURE_TYPE.note, publicKey: key.publicKey };
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'CONFIG') throw error;
    found.unchecked(`signatures by this machine's log key: ${error.message}`);
    return null;
  }
}

/** Where the newest checkpoint is invalid, its own check says so. */
async function nameOf(config: Config, key: SigningKey): Promise<string> {
  try {
    return await knownOrigin(config, key);
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'VERIFICATION') return logOrigin(config, key);
    throw error;
  }
}

/** @throws LukhasError USAGE: a file that cannot be read, or one key for two roles */
export async function readTrust(files: readonly string[], clock: Clock): Promise<TrustedKey[] | null> {
  if (files.length === 0) return null;
  const keys = await Promise.all(
    files.map(async (file) => parseTrustedKeys((await readSmall(file)).toString(), `--trust ${file}`, clock.now())),
  );
  const shared = sharedKey(keys.flat());
  if (shared === null) return keys.flat();
  throw new LukhasError('USAGE', shared, {
    suggestions: ['Ask the operator for the right keys: the log, packs and each witness must have a key of their own.'],
  });
}

/**
 * Reads a checkpoint that was kept elsewhere. A file that is not a checkpoint is a usage error; whether its signature is valid
 * is for the report.
 * @throws LukhasError USAGE
 */
async function readCheckpoint(path: string): Promise<Buffer> {
  const note = await readSmall(path);
  try {
    claimedCheckpoint(note);
    return note;
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    throw new LukhasError('USAGE', `--since ${path}: not a checkpoint (${cause.message})`, {
      cause,
      suggestions: ['Use the file `checkpoint` of a pack, or what lukhas checkpoint --out FILE writes.'],
    });
  }
}

function readSmall(path: string): Promise<Buffer> {
  return readAtMost(path, MOST_SETTINGS);
}

/** @throws LukhasError USAGE */
async function readAtMost(path: string, limit: number): Promise<Buffer> {
  const bytes = await readLimited(path, limit).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (bytes !== null) return bytes;
  throw new LukhasError('USAGE', `${path}: too long: more than ${limit} bytes`);
}

async function beginningOf(path: string): Promise<Buffer> {
  try {
    // Before opening: opening a pipe would wait for its other end.
    if (!(await stat(path)).isFile()) throw new LukhasError('USAGE', `${path}: is not a file`);
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(PROOF.length), 0, PROOF.length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw cause instanceof LukhasError ? cause : unreadable(path, cause);
  }
}

const WHY: Readonly<Record<string, string>> = { ENOENT: 'file not found', EISDIR: 'is a folder' };

function unreadable(path: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  const why = WHY[code ?? ''] ?? `cannot be read (${code ?? String(cause)})`;
  return new LukhasError('USAGE', `${path}: ${why}`, { cause });
}

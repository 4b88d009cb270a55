import { open, readFile } from 'node:fs/promises';
import { LukhasError } from '../errors.js';
import { readSigningKey } from '../evidence/keys.js';
import { originOfKey } from '../evidence/public-forms.js';
import { parseTrustedKeys, type TrustedKey } from '../evidence/trust.js';
import { type PackReport, verifyPack } from '../evidence/verify-pack.js';
import { EvidenceFindings, type EvidenceReport } from '../evidence/verify-pack-report.js';
import { type ConsistencyProof, verifyLogSince } from '../evidence/verify-pack-since.js';
import { ZippedPack } from '../evidence/verify-pack-zip.js';
import { type ProofReport, verifyProofFile } from '../evidence/verify-proof.js';
import { SIGNATURE_TYPE, type VerifierKey } from '../evidence/vkey.js';
import { openLedger } from '../ledger/sqlite.js';
import type { VerifyReport } from '../ledger/verify.js';
import { hasLogKey } from './checkpoints.js';
import type { Config } from './config.js';

export interface EvidenceRequest {
  /** Files of public keys that somebody chose to trust. */
  trust: readonly string[];
  /** File with an earlier checkpoint of the log. */
  since: string | null;
  /** A database that may prove what a pack alone cannot. */
  db: string | null;
}

const PROOF = Buffer.from('c2sp.org/tlog-proof@');
/** As large as the largest entry, in base64. */
const MAX_PROOF = 128 * 1024 * 1024;
const MAX_SMALL = 1024 * 1024;

/**
 * Verifies a file: an evidence pack, or the proof of one entry (`.tlog-proof`).
 * @throws LukhasError USAGE: a file that cannot be read; LEDGER_* of the database
 */
export async function verifyEvidence(
  path: string,
  { trust: files, since: sinceFile, db }: EvidenceRequest,
): Promise<({ type: 'pack' } & PackReport) | ({ type: 'proof' } & ProofReport)> {
  const trust = await readTrust(files);
  const since = sinceFile === null ? null : await readSmall(sinceFile);
  if (await isProof(path)) {
    if (since !== null || db !== null) {
      throw new LukhasError('USAGE', `${path}: is the proof of one entry; --since and --db go with a pack`);
    }
    return { type: 'proof', ...verifyProofFile((await readLimited(path, MAX_PROOF)).toString(), trust) };
  }
  return { type: 'pack', ...(await verifyZip(path, { trust, since, db })) };
}

async function verifyZip(
  path: string,
  { trust, since, db }: { trust: readonly TrustedKey[] | null; since: Buffer | null; db: string | null },
): Promise<PackReport> {
  const ledger = db === null ? null : await openLedger(db, { readOnly: true });
  try {
    const prove: ConsistencyProof | null = ledger && ((first, second) => ledger.consistencyProof(first, second));
    const pack = await ZippedPack.open(path);
    try {
      return await verifyPack(pack, { trust, since, prove });
    } finally {
      pack.close();
    }
  } catch (error) {
    if (!(error instanceof LukhasError) || error.code !== 'VERIFICATION') throw error;
    const findings = new EvidenceFindings();
    findings.problem(error.message);
    return { ...findings.report(), log: null, window: null, counts: null, keys: null };
  } finally {
    await ledger?.close();
  }
}

/**
 * Whether a database that was verified in place goes on from a checkpoint that was kept elsewhere.
 * @throws LukhasError USAGE: a file that cannot be read; CONFIG: a log key that cannot be used; LEDGER_*
 */
export async function verifySince(
  config: Config,
  report: VerifyReport,
  { trust: files, since }: Pick<EvidenceRequest, 'trust'> & { since: string },
): Promise<EvidenceReport> {
  const trust = await readTrust(files);
  const key = trust === null ? await ownKey(config) : null;
  const ledger = await openLedger(config.dbPath, { readOnly: true });
  try {
    const log = { size: report.size, root: Buffer.from(report.root, 'hex') };
    const prove: ConsistencyProof = (first, second) => ledger.consistencyProof(first, second);
    return await verifyLogSince(await readSmall(since), { log, key, trust, prove });
  } finally {
    await ledger.close();
  }
}

/** The key that this machine signs with, when it has one. */
async function ownKey(config: Config): Promise<VerifierKey | null> {
  if (!(await hasLogKey(config))) return null;
  const { publicKey } = await readSigningKey(config.keys.log);
  return { name: config.keys.origin ?? originOfKey(publicKey), type: SIGNATURE_TYPE.note, publicKey };
}

async function readTrust(files: readonly string[]): Promise<TrustedKey[] | null> {
  if (files.length === 0) return null;
  const keys = await Promise.all(
    files.map(async (file) => parseTrustedKeys((await readSmall(file)).toString(), `--trust ${file}`)),
  );
  return keys.flat();
}

function readSmall(path: string): Promise<Buffer> {
  return readLimited(path, MAX_SMALL);
}

async function readLimited(path: string, limit: number): Promise<Buffer> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= limit) return bytes;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw new LukhasError('USAGE', `${path}: is longer than what it should be (${limit} bytes)`);
}

async function isProof(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      if (!(await file.stat()).isFile()) throw new LukhasError('USAGE', `${path}: is not a file`);
      const { buffer } = await file.read(Buffer.alloc(PROOF.length), 0, PROOF.length, 0);
      return buffer.equals(PROOF);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw cause instanceof LukhasError ? cause : unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file' : (code ?? String(cause));
  return new LukhasError('USAGE', `${path}: cannot be read (${why})`, { cause });
}

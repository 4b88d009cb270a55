import { fingerprint } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { type Check, type Established, NOTHING_YET } from './check.js';
import {
  checkEntries,
  checkMeta,
  checkPolicies,
  checkStatement,
  openCompleteness,
  readMeta,
} from './check-contents.js';
import { checkCosignatures, checkEarlier, readEarlier } from './check-history.js';
import {
  checkCheckpoint,
  checkHashes,
  checkSignatures,
  checkSums,
  readKeys,
  readSums,
  readSumsFile,
} from './check-signatures.js';
import { HashedFiles, nameProblems, type PackFiles } from './files.js';
import { reportLimits } from './limits.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';
import type { ConsistencyProof } from './since.js';
import type { Witnessed } from './witness.js';

export interface PackTrust {
  /** Keys that somebody chose to trust; null: none were given, so that signatures show only that the parts belong together. */
  trust: readonly TrustedKey[] | null;
  /** A checkpoint of the same log that was kept elsewhere, as a signed note. */
  since?: Buffer | null;
  /** Asks a log that the verifier can reach; the answer is verified. */
  prove?: ConsistencyProof | null;
}

export interface PackReport extends EvidenceReport {
  /** Null when that could not be read. */
  log: { origin: string; size: number; root: string } | null;
  window: { from: number; to: number } | null;
  /** Entries that are in the pack, and those of which there are only hashes. */
  counts: { events: number; omitted: number; observations: number } | null;
  keys: { log: string; export: string; trusted: boolean } | null;
  /** By each trusted witness whose cosignature holds, what it has seen of this history. */
  witnesses: Witnessed[];
}

/** In this order: each uses what those before it established, and findings are reported as they come. */
const CHECKS: readonly Check[] = [
  readSumsFile,
  readKeys,
  readSums,
  checkHashes,
  checkSignatures,
  checkCheckpoint,
  readMeta,
  openCompleteness,
  checkCosignatures,
  readEarlier,
  checkPolicies,
  checkEntries,
  checkMeta,
  checkStatement,
  checkEarlier,
  checkSums,
  reportLimits,
];

/**
 * Checks an evidence pack (docs/evidence.md) without the code that wrote it, and without a network. What does not hold is
 * a problem in the report, not an error.
 */
export async function verifyPack(files: PackFiles, { trust, since, prove }: PackTrust): Promise<PackReport> {
  const found = new EvidenceFindings();
  const pack = { files: new HashedFiles(files), trust, since: since ?? null, prove: prove ?? null };
  const problems = nameProblems(files.names);
  for (const problem of problems) found.problem(problem);
  if (problems.length > 0) found.unchecked('everything else: these are not the files of an evidence pack');
  let known = NOTHING_YET;
  for (const check of problems.length > 0 ? [] : CHECKS) {
    const established = await found.attempt(() => check(pack, known, found));
    known = { ...known, ...established };
  }
  // What no check reads would be in the pack, but not verified: reading a file also checks its size and CRC in the zip.
  for (const name of found.problemCount > 0 ? [] : files.names) await found.attempt(() => pack.files.digest(name));
  return { ...found.report(), ...summaryOf(known, trust !== null) };
}

function summaryOf(known: Established, trusted: boolean): Omit<PackReport, keyof EvidenceReport> {
  const { checkpoint, keys, frame, entries, witnesses } = known;
  return {
    log: checkpoint && { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root.toString('hex') },
    window: frame && { from: frame.from, to: frame.to },
    counts: entries?.counts ?? null,
    keys: keys && { log: fingerprint(keys.log.publicKey), export: fingerprint(keys.export), trusted },
    witnesses,
  };
}

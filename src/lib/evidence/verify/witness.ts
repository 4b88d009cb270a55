import * as z from 'zod';
import { LukhasError } from '../../errors.js';
import { parseInput } from '../../input/index.js';
import type { NoteSignature, VerifiedCheckpoint, VerifierKey } from '../formats/index.js';
import { cosignedAt, isSignedBy, looksCosigned, refused } from '../formats/index.js';
import { cosignatureVerifiers, type TrustedKey, witnessKeys } from '../keys/index.js';
import { verifyConsistency } from '../tree/index.js';
import { parseCanonical } from './canonical.js';
import { sha256Hash } from './completeness.js';
import type { EvidenceFindings } from './report.js';
import { verifyLogCheckpoint } from './signatures.js';
import { reportUnread } from './unread.js';

/** A trusted witness's cosignature that verifies. */
export interface Witnessed {
  /** Name of the witness, from its key. */
  name: string;
  /** Entries of the log that it has cosigned. */
  size: number;
  /** By its clock: RFC 3339, UTC. */
  at: string;
}

interface WitnessedPack {
  checkpoint: VerifiedCheckpoint;
  /** First entry of its window. */
  from: number;
  log: Parameters<typeof verifyLogCheckpoint>[1];
}

/** A consistency proof in a tree of 2^63 entries has one hash for each level, and a first one. */
const MAX_PROOF = 64;
const fileSchema = z.strictObject({ checkpoint: z.string(), proof: z.array(sha256Hash).max(MAX_PROOF) });

/**
 * Checks witness.json: a checkpoint with cosignatures (C2SP tlog-cosignature), and the RFC 9162 consistency proof between it and
 * that of the pack. A checkpoint that covers no entry of the pack proves nothing about it: anyone who holds the keys can rewrite all
 * later entries.
 * @param bytes null: the pack has none
 * @returns the cosignatures that count
 * @throws LukhasError VERIFICATION: form, signatures of the log or of a trusted witness, or another history
 */
export function checkWitnesses(
  bytes: Buffer | null,
  { checkpoint, from, log }: WitnessedPack,
  found: EvidenceFindings,
): Witnessed[] {
  if (bytes === null) {
    for (const { name } of witnessKeys(log.trust)) found.notShown(notCosigned(name, 'none in the pack'));
    if (witnessKeys(log.trust).length === 0) {
      found.unchecked(
        'whether anyone but the operator has seen this log: the pack has no witness cosignature (docs/witness.md)',
      );
    }
    return [];
  }
  const { checkpoint: note, proof } = parseWitnessFile(bytes);
  const seen = verifySeen(note, log);
  refuseOtherHistory(seen, checkpoint, proof);
  reportUnread(seen, 'checkpoint in witness.json', found);
  const all = witnessedBy(seen);
  const witnessed = coversAny(seen.size, from, checkpoint.size) ? all : [];
  if (witnessed.length === 0) for (const { name } of all) found.notShown(notCosigned(name, sawNone(seen.size, from)));
  for (const each of witnessed) found.holds(coverageText(each, checkpoint.size));
  if (witnessed.length > 0 && seen.size < checkpoint.size) {
    found.unchecked(`entries ${seen.size} to ${checkpoint.size - 1}: not covered by a trusted witness`);
  }
  reportMissing(seen, log.trust, 'none on the checkpoint in witness.json', found);
  return witnessed;
}

/** Whether a cosigned size covers an entry of the window or, of an empty window, its end. An empty log proves nothing. */
function coversAny(size: number, from: number, end: number): boolean {
  return size > 0 && (size > from || size >= end);
}

function sawNone(size: number, from: number): string {
  return size === 0
    ? 'it cosigned an empty log, which proves nothing'
    : `it cosigned ${size} entries of the log, and the pack starts at entry ${from}`;
}

/** The trusted witnesses' cosignatures on a checkpoint. */
export function witnessedBy({ size, witnesses }: VerifiedCheckpoint): Witnessed[] {
  return witnesses.map((cosignature) => ({ name: cosignature.name, size, at: cosignedAt(cosignature) }));
}

/** @param what names the checkpoint */
export function cosignedText({ name, size, at }: Witnessed, what: string): string {
  return `${what}: cosigned by trusted witness ${name} (${size} entries, at ${at})`;
}

/**
 * Reports which trusted witnesses have not cosigned, and which cosignatures are not by a trusted witness.
 * @param why says where a cosignature is missing
 */
export function reportMissing(
  { text, witnesses, unknown }: VerifiedCheckpoint,
  trust: readonly TrustedKey[] | null,
  why: string,
  found: EvidenceFindings,
): void {
  const isBy = (key: VerifierKey) => (each: NoteSignature) =>
    cosignatureVerifiers([key]).some((own) => isSignedBy(text, each, own));
  const missing = witnessKeys(trust).filter((key) => !witnesses.some(isBy(key)));
  for (const { name } of missing) found.notShown(notCosigned(name, why));
  const others = unknown.filter(looksCosigned).map(({ name }) => name);
  if (others.length > 0) {
    found.unchecked(
      `cosignatures by ${others.join(', ')}: keys not trusted. Get the key of the witness from its operator and pass --trust FILE`,
    );
  }
}

function notCosigned(name: string, why: string): string {
  return `cosignature of witness ${name}: ${why}; ask the operator for a new one, made after the witness has cosigned the log (lukhas checkpoint)`;
}

function coverageText({ name, size, at }: Witnessed, end: number): string {
  const covers = size < end ? `only the entries before ${size}` : 'the whole pack';
  return `witness ${name} cosigned the log at ${size} entries (${at}): covers ${covers}`;
}

function parseWitnessFile(bytes: Buffer): z.output<typeof fileSchema> {
  const end = bytes.length - 1;
  const value = bytes[end] === 0x0a ? parseCanonical(bytes.subarray(0, end)) : undefined;
  if (value === undefined) throw refused('witness.json: is not canonical JSON (RFC 8785) with a final newline');
  return parseInput(fileSchema, value, 'witness.json', 'VERIFICATION');
}

function verifySeen(note: string, log: Parameters<typeof verifyLogCheckpoint>[1]): VerifiedCheckpoint {
  try {
    return verifyLogCheckpoint(note, log);
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    throw refused(`witness.json: ${error.message}`, error);
  }
}

function refuseOtherHistory(seen: VerifiedCheckpoint, checkpoint: VerifiedCheckpoint, path: readonly Buffer[]): void {
  const [first, second] = seen.size < checkpoint.size ? [seen, checkpoint] : [checkpoint, seen];
  const claim = { first: first.size, second: second.size, firstRoot: first.root, secondRoot: second.root, path };
  if (verifyConsistency(claim)) return;
  throw refused(
    `witness.json: does not prove that its checkpoint (${seen.size} entries) and the pack's belong to one history: the log was rewritten, or the proof is wrong`,
  );
}

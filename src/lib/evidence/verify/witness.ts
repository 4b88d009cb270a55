import * as z from 'zod';
import { LukhasError } from '../../errors.js';
import { parseInput } from '../../input/index.js';
import type { VerifiedCheckpoint } from '../formats/index.js';
import { cosignedAt, keyId, looksCosigned, refused, type VerifierKey } from '../formats/index.js';
import { type TrustedKey, witnessKeys } from '../keys/index.js';
import { verifyConsistency } from '../tree/index.js';
import { parseCanonical } from './canonical.js';
import { sha256Hash } from './completeness.js';
import type { EvidenceFindings } from './report.js';
import { verifyLogCheckpoint } from './signatures.js';

/** What a trusted witness has cosigned; the cosignature verifies. */
export interface Witnessed {
  /** Of the witness, as its key has it. */
  name: string;
  /** Entries of the log that it has seen. */
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

/** The consistency proof of a tree of 2^63 entries has one hash for each level, and one to begin with. */
const MAX_PROOF = 64;
const fileSchema = z.strictObject({ checkpoint: z.string(), proof: z.array(sha256Hash).max(MAX_PROOF) });

/**
 * Checks witness.json: a checkpoint with cosignatures (C2SP tlog-cosignature), and the RFC 9162 consistency proof between it and
 * that of the pack. One that covers no entry of the pack shows nothing of it, as whoever holds the keys can write all after it anew.
 * @param bytes null: the pack has none
 * @returns what counts
 * @throws LukhasError VERIFICATION: form, signatures of the log or of a trusted witness, or another history
 */
export function checkWitnesses(
  bytes: Buffer | null,
  { checkpoint, from, log }: WitnessedPack,
  found: EvidenceFindings,
): Witnessed[] {
  if (bytes === null) {
    for (const { name } of witnessKeys(log.trust)) found.notShown(notCosigned(name, 'the pack has no cosignature'));
    if (witnessKeys(log.trust).length === 0) {
      found.unchecked(
        'whether anybody but the operator has seen this history: the pack has no cosignature of a witness (docs/witness.md)',
      );
    }
    return [];
  }
  const { checkpoint: note, proof } = parseWitnessFile(bytes);
  const seen = verifySeen(note, log);
  refuseOtherHistory(seen, checkpoint, proof);
  const all = witnessedBy(seen);
  const witnessed = coversAny(seen.size, from, checkpoint.size) ? all : [];
  if (witnessed.length === 0) for (const { name } of all) found.notShown(notCosigned(name, sawNone(seen.size, from)));
  for (const each of witnessed) found.holds(saysWhat(each, checkpoint.size));
  if (witnessed.length > 0 && seen.size < checkpoint.size) {
    found.unchecked(`entries ${seen.size} to ${checkpoint.size - 1}: no trusted witness had seen them`);
  }
  tellMissing(seen, log.trust, 'the pack carries a checkpoint that it has not cosigned', found);
  return witnessed;
}

/** Of a window without entries: that there is none. That the log had no entries is no history. */
function coversAny(size: number, from: number, end: number): boolean {
  return size > 0 && (size > from || size >= end);
}

function sawNone(size: number, from: number): string {
  return size === 0
    ? 'it has cosigned an empty log, which shows nothing'
    : `it saw the log of ${size} entries, and those of the pack begin with ${from}: it has seen none of them`;
}

/** What the trusted witnesses have cosigned of a checkpoint. */
export function witnessedBy({ size, witnesses }: VerifiedCheckpoint): Witnessed[] {
  return witnesses.map((cosignature) => ({ name: cosignature.name, size, at: cosignedAt(cosignature) }));
}

/** The checkpoint as it is said to have been seen. @param what it is, in words */
export function saysSeen({ name, size, at }: Witnessed, what: string): string {
  return `${what} was cosigned by the trusted witness ${name}, which saw the log of ${size} entries at ${at}`;
}

/**
 * Says which trusted witnesses have not cosigned, and which cosignatures are not of any trusted one.
 * @param why where one was asked for that is not there
 */
export function tellMissing(
  { witnesses, unknown }: VerifiedCheckpoint,
  trust: readonly TrustedKey[] | null,
  why: string,
  found: EvidenceFindings,
): void {
  const isOf = (key: VerifierKey) => (each: { name: string; keyId: number }) =>
    each.name === key.name && each.keyId === keyId(key);
  const missing = witnessKeys(trust).filter((key) => !witnesses.some(isOf(key)));
  for (const { name } of missing) found.notShown(notCosigned(name, why));
  const others = unknown.filter(looksCosigned).map(({ name }) => name);
  if (others.length > 0) {
    found.unchecked(
      `cosignatures of ${others.join(', ')}: whose keys those are; give the key of the witness that you have from whoever runs it: --trust FILE`,
    );
  }
}

function notCosigned(name: string, why: string): string {
  return `cosignature of the witness ${name}: ${why}; ask for one that was made after that witness has cosigned the log (lukhas checkpoint)`;
}

function saysWhat({ name, size, at }: Witnessed, end: number): string {
  const seen = `witness ${name} saw the log of ${size} entries at ${at}`;
  if (size === end) return `${seen}: that is the log of the pack, all of it is witnessed`;
  if (size > end) return `${seen}: it goes on from that of the pack, all of which is witnessed`;
  return `${seen}: that of the pack goes on from it; only the entries before ${size} are witnessed`;
}

function parseWitnessFile(bytes: Buffer): z.output<typeof fileSchema> {
  const end = bytes.length - 1;
  const value = bytes[end] === 0x0a ? parseCanonical(bytes.subarray(0, end)) : undefined;
  if (value === undefined) throw refused('witness.json: is not canonical JSON (RFC 8785) and a newline');
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
    `witness.json: nothing proves that its checkpoint of ${seen.size} entries and that of the pack are of one history: the log was rewritten, or the proof is not theirs`,
  );
}

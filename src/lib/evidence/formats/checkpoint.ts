import { decodeBase64 } from './base64.js';
import { type NoteSignature, type NoteSigner, type NoteVerifier, signNote, verifyNote } from './note.js';
import { refused } from './refused.js';

/** State of a log at one moment (https://c2sp.org/tlog-checkpoint): the text of a signed note. */
export interface Checkpoint {
  /** Identity of the log, one line; the name of its key should be the same. */
  origin: string;
  /** Number of entries. */
  size: number;
  /** RFC 6962 root over them, 32 bytes. */
  root: Buffer;
  /** Further lines; not recommended, and nothing may rest on them. */
  extensions?: readonly string[];
}

/** Whose signatures count. */
export interface CheckpointTrust {
  /** Refuses checkpoints of other logs. */
  origin: string;
  /** Keys of the log: one of them has to have signed. */
  log: readonly NoteVerifier[];
  /** Keys of witnesses: none of them has to have signed; how many must is the caller's to say. */
  witnesses?: readonly NoteVerifier[];
}

export interface VerifiedCheckpoint extends Checkpoint {
  extensions: readonly string[];
  /** The signed text, as it stands in the note. */
  text: string;
  /** Signatures of the log's keys, at least one. */
  log: NoteSignature[];
  /** Cosignatures of the given witnesses; their time: `cosignatureTime`. */
  witnesses: NoteSignature[];
  /** By keys that were not given: they say nothing. */
  unknown: NoteSignature[];
}

const HASH_BYTES = 32;

/** The text to be signed. @throws LukhasError VERIFICATION when the parts cannot stand in one */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  const text = `${[origin, size, root.toString('base64'), ...extensions].join('\n')}\n`;
  const read = parseCheckpoint(text);
  if (read.origin !== origin || read.extensions?.length !== extensions.length) {
    throw refused('checkpoint: a line of it contains a newline');
  }
  return text;
}

/** @throws LukhasError VERIFICATION: what is wrong with it. Says nothing about who made it. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw refused('checkpoint: does not end in a newline');
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', size = '', base64 = '', ...extensions] = lines;
  if (lines.length < 3) throw refused('checkpoint: has fewer than three lines');
  if (lines.includes('')) throw refused('checkpoint: has an empty line');
  const root = decodeBase64(base64);
  if (root?.length !== HASH_BYTES) throw refused('checkpoint: its third line is not a SHA-256 hash in base64');
  return { origin, size: parseSize(size, 'checkpoint: its size'), root, extensions };
}

/** A signed checkpoint. The first signer should be the log's key with the origin as its name. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * Reads a signed checkpoint and verifies it by the keys that are trusted. A witness alone does not make a checkpoint.
 * @throws LukhasError VERIFICATION: form, origin, or signatures
 */
export function verifyCheckpoint(note: string | Uint8Array, trust: CheckpointTrust): VerifiedCheckpoint {
  const { text, verified, unknown } = verifyNote(note, [...trust.log, ...(trust.witnesses ?? [])]);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== trust.origin) {
    throw refused(
      `checkpoint: is of the log ${JSON.stringify(checkpoint.origin)}, not of ${JSON.stringify(trust.origin)}`,
    );
  }
  const isOfLog = (signature: NoteSignature) =>
    trust.log.some((key) => key.name === signature.name && key.keyId === signature.keyId);
  const log = verified.filter(isOfLog);
  if (log.length === 0)
    throw refused('checkpoint: is signed by witnesses, but not by a key of the log that is trusted');
  return {
    ...checkpoint,
    extensions: checkpoint.extensions ?? [],
    text,
    log,
    witnesses: verified.filter((signature) => !isOfLog(signature)),
    unknown,
  };
}

/** ASCII decimal without leading zeros, up to 2^53 - 1. @param what how an error calls it */
export function parseSize(text: string, what: string): number {
  if (!/^(0|[1-9][0-9]*)$/.test(text)) throw refused(`${what} is not a decimal number without leading zeros`);
  const size = Number(text);
  if (!Number.isSafeInteger(size)) throw refused(`${what} is beyond 2^53 - 1`);
  return size;
}

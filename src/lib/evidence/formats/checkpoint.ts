import { decodeBase64 } from './base64.js';
import { isSignedBy, type NoteSignature, type NoteSigner, type NoteVerifier, signNote, verifyNote } from './note.js';
import { refused } from './refused.js';

/** State of a log at one moment (https://c2sp.org/tlog-checkpoint): the text of a signed note. */
export interface Checkpoint {
  /** Identity of the log, one line; the name of its key should be the same. */
  origin: string;
  /** Number of entries. */
  size: number;
  /** RFC 6962 root over them, 32 bytes. */
  root: Buffer;
  /** Further lines; not recommended, and not to be relied on. */
  extensions?: readonly string[];
}

/** Keys whose signatures are accepted. */
export interface CheckpointTrust {
  /** Refuses checkpoints of other logs. */
  origin: string;
  /** Keys of the log: at least one of them must have signed. */
  log: readonly NoteVerifier[];
  /** Keys of witnesses: none is required here; how many are is up to the caller. */
  witnesses?: readonly NoteVerifier[];
}

export interface VerifiedCheckpoint extends Checkpoint {
  extensions: readonly string[];
  /** The signed text of the note. */
  text: string;
  /** Signatures of the log's keys, at least one. */
  log: NoteSignature[];
  /** Cosignatures of the given witnesses; their time: `cosignatureTime`. */
  witnesses: NoteSignature[];
  /** Signatures by keys that were not given: not verified. */
  unknown: NoteSignature[];
}

const HASH_BYTES = 32;

/** The text to be signed. @throws LukhasError VERIFICATION when the parts do not make a valid one */
export function formatCheckpoint({ origin, size, root, extensions = [] }: Checkpoint): string {
  const text = `${[origin, size, root.toString('base64'), ...extensions].join('\n')}\n`;
  const read = parseCheckpoint(text);
  if (read.origin !== origin || read.extensions?.length !== extensions.length) {
    throw refused('checkpoint: a line contains a newline');
  }
  return text;
}

/** Checks the form only, not who signed it. @throws LukhasError VERIFICATION: what is wrong with it */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw refused('checkpoint: does not end in a newline');
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', size = '', base64 = '', ...extensions] = lines;
  if (lines.length < 3) throw refused('checkpoint: has fewer than three lines');
  if (lines.includes('')) throw refused('checkpoint: has an empty line');
  const root = decodeBase64(base64);
  if (root?.length !== HASH_BYTES) throw refused('checkpoint: third line is not a SHA-256 hash in base64');
  return { origin, size: parseSize(size, 'checkpoint: size'), root, extensions };
}

/** A signed checkpoint. The first signer should be the log's key with the origin as its name. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * Reads a signed checkpoint and verifies it with the trusted keys. Signatures of witnesses alone are not enough.
 * @throws LukhasError VERIFICATION: form, origin, or signatures
 */
export function verifyCheckpoint(note: string | Uint8Array, trust: CheckpointTrust): VerifiedCheckpoint {
  const { text, verified, unknown } = verifyNote(note, [...trust.log, ...(trust.witnesses ?? [])]);
  const checkpoint = parseCheckpoint(text);
  if (checkpoint.origin !== trust.origin) {
    throw refused(`checkpoint: for log ${JSON.stringify(checkpoint.origin)}, expected ${JSON.stringify(trust.origin)}`);
  }
  const isOfLog = (signature: NoteSignature) => trust.log.some((key) => isSignedBy(text, signature, key));
  const log = verified.filter(isOfLog);
  if (log.length === 0) throw refused('checkpoint: signed by witnesses only, not by a trusted key of the log');
  return {
    ...checkpoint,
    extensions: checkpoint.extensions ?? [],
    text,
    log,
    witnesses: verified.filter((signature) => !isOfLog(signature)),
    unknown,
  };
}

/** ASCII decimal without leading zeros, up to 2^53 - 1. @param what names it in errors */
export function parseSize(text: string, what: string): number {
  if (!/^(0|[1-9][0-9]*)$/.test(text)) throw refused(`${what} is not a decimal number without leading zeros`);
  const size = Number(text);
  if (!Number.isSafeInteger(size)) throw refused(`${what} is beyond 2^53 - 1`);
  return size;
}

import { decodeBase64 } from './base64.js';
import { verifyEd25519 } from './ed25519.js';
import { refused } from './refused.js';
import { badName, isKeyName, keyId, SIGNATURE_TYPE, type VerifierKey } from './vkey.js';

/**
 * Signed notes (https://c2sp.org/signed-note): text, an empty line, then one line for each signature:
 * em dash, space, key name, space, base64 of key ID (4 bytes, big-endian) and signature, newline.
 */
export interface NoteSignature {
  name: string;
  /** Unsigned, 32 bits. */
  keyId: number;
  /** Without the key ID. */
  signature: Buffer;
}

export interface Note {
  /** What is signed; ends in a newline. */
  text: string;
  signatures: NoteSignature[];
}

/** Signs the text of notes; name and key ID go on the signature line. */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  sign(text: string): Buffer;
}

/** Verifies with one key; called only for signatures with its name and key ID. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  verify(text: string, signature: Buffer): boolean;
}

export interface VerifiedNote {
  text: string;
  /** At least one, by keys that were given; one for each key. */
  verified: NoteSignature[];
  /** By keys that were not given: not verified. */
  unknown: NoteSignature[];
}

/** Anything that signs bytes with Ed25519 (src/lib/evidence/keys/keys.ts). */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Buffer;
  /** @returns 64 bytes */
  sign(message: Uint8Array): Buffer;
}

const LINE_START = '\u2014 ';
/** The limit of Go's note package: more than any note needs, and small enough to read at once. */
const MAX_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;

/** Signatures of type 0x01: Ed25519 over the text. */
export function noteSigner(name: string, signer: Signer): NoteSigner {
  return {
    name,
    keyId: keyId({ name, type: SIGNATURE_TYPE.note, publicKey: signer.publicKey }),
    sign: (text) => signer.sign(Buffer.from(text)),
  };
}

/** @param key of type 0x01; for type 0x04 see `cosignatureVerifier` */
export function noteVerifier(key: VerifierKey): NoteVerifier {
  if (key.type !== SIGNATURE_TYPE.note) throw refused(`verifier key ${key.name}: is not a log key (type 0x01)`);
  return {
    name: key.name,
    keyId: keyId(key),
    verify: (text, signature) => verifyEd25519(key.publicKey, Buffer.from(text), signature),
  };
}

/** The note with the signatures of all signers, in their order. @throws LukhasError VERIFICATION for an invalid text or name */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  return formatNote({
    text,
    signatures: signers.map((signer) => ({ name: signer.name, keyId: signer.keyId, signature: signer.sign(text) })),
  });
}

/** @throws LukhasError VERIFICATION when the parts do not make a valid note */
export function formatNote({ text, signatures }: Note): string {
  const bad = signatures.find(({ name }) => !isKeyName(name));
  if (bad) throw refused(badName(bad.name));
  const note = `${text}\n${signatures.map(signatureLine).join('')}`;
  // What is written must also pass our own strict reader.
  parseNote(note);
  return note;
}

/** One signature as a line with its newline: what a witness answers with. */
export function signatureLine({ name, keyId: id, signature }: NoteSignature): string {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(id);
  return `${LINE_START}${name} ${Buffer.concat([head, signature]).toString('base64')}\n`;
}

/** Splits a note and checks its form, not its signatures. @throws LukhasError VERIFICATION: what is wrong with it */
export function parseNote(note: string | Uint8Array): Note {
  const whole = readText(note);
  const end = whole.lastIndexOf('\n\n');
  if (end < 0) throw refused('note: has no empty line before its signatures');
  return { text: whole.slice(0, end + 1), signatures: parseSignatureLines(whole.slice(end + 2)) };
}

/** Lines as `signatureLine` writes them, at least one. @throws LukhasError VERIFICATION */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (text === '') throw refused('note: has no signature');
  if (!text.endsWith('\n')) throw refused('note: does not end in a newline');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw refused(`note: has more than ${MAX_SIGNATURES} signatures`);
  return lines.map(parseSignatureLine);
}

/**
 * Reads a note and verifies it with the trusted keys. Signatures by other keys are ignored.
 * @throws LukhasError VERIFICATION when its form is wrong, no given key signed it, or a signature with the name and ID of
 *   a given key does not verify
 */
export function verifyNote(note: string | Uint8Array, trusted: readonly NoteVerifier[]): VerifiedNote {
  const { text, signatures } = parseNote(note);
  const verified: NoteSignature[] = [];
  const unknown: NoteSignature[] = [];
  const seen = new Set<NoteVerifier>();
  for (const signature of signatures) {
    if (!trusted.some((key) => isNamed(signature, key))) {
      unknown.push(signature);
      continue;
    }
    // Two keys may share name and ID: either may have signed.
    const by = trusted.filter((key) => isSignedBy(text, signature, key));
    if (by.length === 0) throw refused(`note: the signature by ${signature.name} does not verify`);
    if (by.some((key) => !seen.has(key))) verified.push(signature);
    for (const key of by) seen.add(key);
  }
  if (verified.length === 0) throw refused('note: no signature by a trusted key');
  return { text, verified, unknown };
}

/**
 * Whether this key made the signature. Name and ID alone do not tell: an ID has 32 bits, and whoever makes a key can choose them.
 */
export function isSignedBy(text: string, signature: NoteSignature, key: NoteVerifier): boolean {
  return isNamed(signature, key) && key.verify(text, signature.signature);
}

function isNamed(signature: NoteSignature, key: NoteVerifier): boolean {
  return key.name === signature.name && key.keyId === signature.keyId;
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name = '', base64 = ''] = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || bytes === null || bytes.length < 5) throw refused('note: a signature line cannot be read');
  return { name, keyId: bytes.readUInt32BE(), signature: bytes.subarray(4) };
}

/** Strict UTF-8: a byte order mark is kept, and control characters other than newline are refused. */
function readText(note: string | Uint8Array): string {
  const bytes = typeof note === 'string' ? Buffer.from(note) : note;
  if (bytes.length > MAX_BYTES) throw refused(`note: is longer than ${MAX_BYTES} bytes`);
  const text = decodeUtf8(bytes);
  // A lone surrogate was replaced by another character when the string became bytes.
  if (text === null || (typeof note === 'string' && text !== note)) throw refused('note: is not valid UTF-8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the search is for control characters
  if (/[\x00-\x09\x0b-\x1f]/.test(text)) throw refused('note: has a control character');
  return text;
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

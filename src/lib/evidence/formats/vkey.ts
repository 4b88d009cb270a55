import { createHash } from 'node:crypto';
import { decodeBase64 } from './base64.js';
import { PUBLIC_KEY_BYTES } from './ed25519.js';
import { usable } from './public-key.js';
import { refused } from './refused.js';

/** The signature types of https://c2sp.org/signed-note that lukhas uses; each is one byte. */
export const SIGNATURE_TYPE = {
  /** Ed25519 over the note's text. */
  note: 0x01,
  /** Timestamped cosignature of a witness (https://c2sp.org/tlog-cosignature). */
  cosignature: 0x04,
} as const;

export type SignatureType = (typeof SIGNATURE_TYPE)[keyof typeof SIGNATURE_TYPE];

/** A verifier key of https://c2sp.org/signed-note#verifier-keys: who signs, what kind of signature, with which key. */
export interface VerifierKey {
  name: string;
  type: SignatureType;
  /** 32 bytes. */
  publicKey: Buffer;
}

/** First four bytes, big-endian, of SHA-256(name || 0x0A || type || public key). */
export function keyId({ name, type, publicKey }: VerifierKey): number {
  const digest = createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.from([type]))
    .update(publicKey)
    .digest();
  return digest.readUInt32BE();
}

/** `name+hash+base64`: the key as one line of text. @throws LukhasError VERIFICATION for an invalid name */
export function formatVkey(key: VerifierKey): string {
  if (!isKeyName(key.name)) throw refused(badName(key.name));
  const id = keyId(key).toString(16).padStart(8, '0');
  return `${key.name}+${id}+${Buffer.concat([Buffer.from([key.type]), key.publicKey]).toString('base64')}`;
}

/** The key of one line of text. @throws LukhasError VERIFICATION: form, type, or a hash that is not the key's */
export function parseVkey(text: string): VerifierKey {
  // The base64 may itself contain a plus.
  const [, name = '', id = '', base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || bytes === null || bytes.length === 0) {
    throw refused('verifier key: is not of the form name+hash+base64');
  }
  const type = Object.values(SIGNATURE_TYPE).find((known) => known === bytes[0]);
  if (type === undefined)
    throw refused(`verifier key ${name}: unsupported type ${bytes[0]}, expected Ed25519 (1 or 4)`);
  if (bytes.length !== 1 + PUBLIC_KEY_BYTES) {
    throw refused(`verifier key ${name}: has ${bytes.length - 1} bytes, not ${PUBLIC_KEY_BYTES}`);
  }
  const key: VerifierKey = { name, type, publicKey: usable(bytes.subarray(1)) };
  if (keyId(key) !== Number.parseInt(id, 16)) throw refused(`verifier key ${name}: hash does not match the key`);
  return key;
}

/** Not empty, no Unicode space, no plus, no control character: what a signature line can hold. */
export function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}\p{Cc}\p{Cs}+]+$/u.test(name);
}

export function badName(name: string): string {
  return `key name ${JSON.stringify(name)}: must not be empty or contain spaces, control characters or +`;
}

import { SIGNATURE_BYTES, verifyEd25519 } from './ed25519.js';
import { type NoteSignature, type NoteSigner, type NoteVerifier, noteVerifier, type Signer } from './note.js';
import { refused } from './refused.js';
import { keyId, SIGNATURE_TYPE, type VerifierKey } from './vkey.js';

/**
 * Cosignatures of witnesses, `cosignature/v1` (https://c2sp.org/tlog-cosignature), signature type 0x04: eight bytes of
 * time, big-endian, then Ed25519 over the time and the checkpoint. It states: at this time, this is the largest consistent
 * tree of this log that I have seen. A key must belong to one witness only, because the name is not signed.
 */
const TIME_BYTES = 8;
/** 9999-12-31T23:59:59Z, in POSIX seconds: the last time that RFC 3339 can express. */
const LATEST = 253_402_300_799;

/** @param seconds POSIX time of the cosignature */
export function cosignatureSigner(name: string, signer: Signer, seconds: number): NoteSigner {
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LATEST)
    throw refused(`cosignature: ${seconds} is not a time in seconds`);
  return {
    name,
    keyId: keyId({ name, type: SIGNATURE_TYPE.cosignature, publicKey: signer.publicKey }),
    sign(text) {
      const time = Buffer.alloc(TIME_BYTES);
      time.writeBigUInt64BE(BigInt(seconds));
      return Buffer.concat([time, signer.sign(message(text, seconds))]);
    },
  };
}

/** @param key of type 0x04 */
export function cosignatureVerifier(key: VerifierKey): NoteVerifier {
  if (key.type !== SIGNATURE_TYPE.cosignature) {
    throw refused(`verifier key ${key.name}: is not a witness key (type 0x04)`);
  }
  return {
    name: key.name,
    keyId: keyId(key),
    verify(text, signature) {
      if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return false;
      const seconds = signature.readBigUInt64BE();
      if (seconds > BigInt(LATEST)) return false;
      return verifyEd25519(key.publicKey, message(text, Number(seconds)), signature.subarray(TIME_BYTES));
    },
  };
}

/** The verifier that fits the type of the key. */
export function verifierOf(key: VerifierKey): NoteVerifier {
  return key.type === SIGNATURE_TYPE.cosignature ? cosignatureVerifier(key) : noteVerifier(key);
}

/** POSIX seconds at which it was made; rely on it only when the cosignature was verified. */
export function cosignatureTime({ signature }: NoteSignature): number {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) throw refused('cosignature: has the wrong length');
  return Number(signature.readBigUInt64BE());
}

/** RFC 3339, UTC, of a cosignature that was verified. */
export function cosignedAt(cosignature: NoteSignature): string {
  return new Date(cosignatureTime(cosignature) * 1000).toISOString();
}

/** By its length alone: 72 bytes, which no other signature in use has. Neither the key nor the signature is checked. */
export function looksCosigned({ signature }: NoteSignature): boolean {
  return signature.length === TIME_BYTES + SIGNATURE_BYTES;
}

function message(text: string, seconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
}

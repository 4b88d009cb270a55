import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { decodeBase64 } from './base64.js';
import { isSmallOrder, rawPublicKey, toKeyObject } from './ed25519.js';
import { refused } from './refused.js';
import { readSshBlob, sshBlob } from './ssh-wire.js';

/** `SHA256:` and base64 without padding over the SSH form of the key, as `ssh-keygen -l` prints it. */
export function fingerprint(publicKey: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(sshBlob(publicKey)).digest('base64').replace(/=+$/, '')}`;
}

/** SubjectPublicKeyInfo in PEM (RFC 8410), for `openssl pkeyutl -verify -pubin -inkey FILE`; ends in a newline. */
export function toSpkiPem(publicKey: Uint8Array): string {
  return toKeyObject(publicKey).export({ format: 'pem', type: 'spki' }) as string;
}

/** `ssh-ed25519 AAAA... comment`, without a newline. @param comment one line; may be empty */
export function toOpenSsh(publicKey: Uint8Array, comment: string): string {
  return ['ssh-ed25519', sshBlob(publicKey).toString('base64'), comment].join(' ').trimEnd();
}

/**
 * A line of an allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS), without a newline. The key is accepted for signatures
 * in `namespace` only.
 * @param principal what `ssh-keygen -Y verify -I` names; no white space, no `*`, `?`, `!`, `,` or `"`
 */
export function toAllowedSigner(
  publicKey: Uint8Array,
  { principal, namespace, comment = '' }: { principal: string; namespace: string; comment?: string },
): string {
  return `${principal} namespaces="${namespace}" ${toOpenSsh(publicKey, comment)}`;
}

/** The 32 bytes of an SPKI PEM. @throws LukhasError VERIFICATION when it is not one, or not of type Ed25519 */
export function parseSpkiPem(pem: string): Buffer {
  const key = publicKeyOf(pem);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw refused(`public key: is of type ${key.asymmetricKeyType ?? 'unknown'}, not ed25519`);
  }
  return usable(rawPublicKey(key));
}

/** The 32 bytes and the comment of `ssh-ed25519 AAAA... comment`. @throws LukhasError VERIFICATION */
export function parseOpenSsh(line: string): { publicKey: Buffer; comment: string } {
  const [, base64 = '', comment = ''] = /^ssh-ed25519 +(\S+)(?: +(.*))?$/.exec(line.trimEnd()) ?? [];
  const blob = decodeBase64(base64);
  if (blob === null || blob.length === 0) throw refused('public key: is not a line of the form ssh-ed25519 AAAA...');
  return { publicKey: usable(readSshBlob(blob, 'public key')), comment: comment.trim() };
}

/** @throws LukhasError VERIFICATION for a key with which anyone can sign */
export function usable(publicKey: Buffer): Buffer {
  if (isSmallOrder(publicKey)) throw refused('public key: small-order point, with which anyone can forge signatures');
  return publicKey;
}

function publicKeyOf(pem: string): KeyObject {
  // node:crypto would silently derive the public key of a private one.
  if (!/^-----BEGIN PUBLIC KEY-----$/m.test(pem)) throw refused('public key: is not PEM with BEGIN PUBLIC KEY');
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw refused('public key: the PEM cannot be read', cause);
  }
}

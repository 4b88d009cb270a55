import { createHash } from 'node:crypto';
import { decodeBase64 } from './base64.js';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, verifyEd25519 } from './ed25519.js';
import type { Signer } from './note.js';
import { fingerprint } from './public-key.js';
import { refused } from './refused.js';
import { readSshBlob, SshReader, sshBlob, sshString } from './ssh-wire.js';

/**
 * Detached SSH signatures (PROTOCOL.sshsig of OpenSSH), as `ssh-keygen -Y sign` makes them, byte for byte:
 * `ssh-keygen -Y verify -f allowed_signers -I PRINCIPAL -n NAMESPACE -s FILE.sshsig < FILE`.
 */
export interface SshSignature {
  /** 32 bytes, from the signature itself: not a reason to trust it. */
  publicKey: Buffer;
  namespace: string;
  hash: 'sha256' | 'sha512';
  /** 64 bytes. */
  signature: Buffer;
}

/** Namespace of evidence signatures: a signature made for another purpose does not verify as one. */
export const EVIDENCE_NAMESPACE = 'lukhas-evidence';

const MAGIC = 'SSHSIG';
const VERSION = 1;
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
/** Characters of base64 on a line of ssh-keygen. */
const LINE = /.{1,70}/g;

/** The armored signature, ending in a newline. @param namespace not empty */
export function signSsh(message: Uint8Array, signer: Signer, namespace = EVIDENCE_NAMESPACE): string {
  const signature = signer.sign(signedData(message, namespace, 'sha512'));
  return formatSshSignature({ publicKey: signer.publicKey, namespace, hash: 'sha512', signature });
}

/**
 * Verifies an armored signature over `message` with the trusted keys.
 * @param trusted public keys, 32 bytes each
 * @returns the trusted key that signed
 * @throws LukhasError VERIFICATION: form, namespace, another key, or another message
 */
export function verifySsh(
  armored: string,
  message: Uint8Array,
  { trusted, namespace = EVIDENCE_NAMESPACE }: { trusted: readonly Uint8Array[]; namespace?: string },
): Buffer {
  const read = parseSshSignature(armored);
  if (read.namespace !== namespace) {
    throw refused(
      `SSH signature: namespace is ${JSON.stringify(read.namespace)}, expected ${JSON.stringify(namespace)}`,
    );
  }
  if (!trusted.some((key) => read.publicKey.equals(key))) {
    throw refused(`SSH signature: by key ${fingerprint(read.publicKey)}, which is not trusted`);
  }
  if (!verifyEd25519(read.publicKey, signedData(message, namespace, read.hash), read.signature)) {
    throw refused('SSH signature: does not verify');
  }
  return read.publicKey;
}

/** Checks the form only; stricter than ssh-keygen: a signature has one text. @throws LukhasError VERIFICATION */
export function parseSshSignature(armored: string): SshSignature {
  const [, body = ''] = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END/.exec(armored) ?? [];
  const blob = decodeBase64(body.replaceAll('\n', ''));
  if (blob === null || blob.length === 0) throw refused('SSH signature: is not an armored ssh-keygen signature');
  const read = parseBlob(blob);
  if (formatSshSignature(read) !== armored)
    throw refused('SSH signature: is not in the exact form that ssh-keygen writes');
  return read;
}

function parseBlob(blob: Buffer): SshSignature {
  const reader = new SshReader(blob, 'SSH signature');
  if (reader.take(MAGIC.length).toString('latin1') !== MAGIC)
    throw refused(`SSH signature: does not begin with ${MAGIC}`);
  const version = reader.uint32();
  if (version !== VERSION) throw refused(`SSH signature: is of version ${version}, not ${VERSION}`);
  const publicKey = readSshBlob(reader.string(), 'SSH signature, public key', PUBLIC_KEY_BYTES);
  const namespace = reader.string().toString();
  // Reserved. A value here is not written back below, so anything but an empty one is refused.
  reader.string();
  const hash = reader.string().toString('latin1');
  const signature = readSshBlob(reader.string(), 'SSH signature, signature', SIGNATURE_BYTES);
  reader.end();
  if (namespace === '') throw refused('SSH signature: namespace is empty');
  if (hash !== 'sha256' && hash !== 'sha512') throw refused('SSH signature: hash is neither sha256 nor sha512');
  return { publicKey, namespace, hash, signature };
}

function formatSshSignature({ publicKey, namespace, hash, signature }: SshSignature): string {
  const version = Buffer.alloc(4);
  version.writeUInt32BE(VERSION);
  const blob = Buffer.concat([
    Buffer.from(MAGIC),
    version,
    sshString(sshBlob(publicKey)),
    sshString(namespace),
    sshString(''),
    sshString(hash),
    sshString(sshBlob(signature)),
  ]);
  return [BEGIN, ...(blob.toString('base64').match(LINE) ?? []), END, ''].join('\n');
}

function signedData(message: Uint8Array, namespace: string, hash: SshSignature['hash']): Buffer {
  if (namespace === '') throw refused('SSH signature: namespace is empty');
  return Buffer.concat([
    Buffer.from(MAGIC),
    sshString(namespace),
    sshString(''),
    sshString(hash),
    sshString(createHash(hash).update(message).digest()),
  ]);
}

import { createHash } from 'node:crypto';
import {
  EVIDENCE_NAMESPACE,
  fingerprint,
  formatVkey,
  SIGNATURE_TYPE,
  toAllowedSigner,
  toOpenSsh,
  toSpkiPem,
} from '../formats/index.js';
import { EXPORT_PRINCIPAL } from './allowed-signers.js';
import type { KeyRole } from './keys.js';

/** A public key in the formats that other programs read. Nothing in it is secret. */
export interface PublicForms {
  role: KeyRole;
  /** As `ssh-keygen -l` prints it. */
  fingerprint: string;
  /** SPKI PEM, for openssl. */
  pem: string;
  /** One line, for authorized_keys and the like. */
  ssh: string;
  /** A line of an allowed_signers file; null for the log key, which makes no SSH signatures. */
  allowedSigner: string | null;
  /** C2SP verifier key; null for the export key, which signs no checkpoints. */
  vkey: string | null;
}

/** @param origin name of the log: also the name of its key on checkpoints */
export function publicForms(role: KeyRole, publicKey: Uint8Array, origin: string): PublicForms {
  const comment = `lukhas-${role}`;
  const isLog = role === 'log';
  return {
    role,
    fingerprint: fingerprint(publicKey),
    pem: toSpkiPem(publicKey),
    ssh: toOpenSsh(publicKey, comment),
    allowedSigner: isLog
      ? null
      : toAllowedSigner(publicKey, { principal: EXPORT_PRINCIPAL, namespace: EVIDENCE_NAMESPACE, comment }),
    vkey: isLog ? formatVkey({ name: origin, type: SIGNATURE_TYPE.note, publicKey: Buffer.from(publicKey) }) : null,
  };
}

/** Default name of a log: derived from its key, so that no two logs share a name. */
export function originOfKey(publicKey: Uint8Array): string {
  return `lukhas-log/${createHash('sha256').update(publicKey).digest('hex').slice(0, 16)}`;
}

import { LukhasError } from '../../errors.js';
import {
  fingerprint,
  keyId,
  parseOpenSsh,
  parseSpkiPem,
  parseVkey,
  refused,
  SIGNATURE_TYPE,
  type VerifierKey,
} from '../formats/index.js';

/** A public key that the user chose to trust, with the use that its format restricts it to. */
export interface TrustedKey {
  /** 32 bytes. */
  publicKey: Buffer;
  fingerprint: string;
  /** Set for a vkey, which is accepted for signatures of this name and type only. */
  vkey: VerifierKey | null;
}

/** Looks like a vkey, maybe a damaged one. */
const VKEY = /^[^\s+]+\+[0-9A-Fa-f]+\+/;

/**
 * Reads a file of public keys, in any mixture: SPKI PEM, lines of OpenSSH (`ssh-ed25519 AAAA...`, also as in
 * allowed_signers), and vkeys (`name+hash+base64`). Empty lines and those that begin with # are ignored.
 * @param where names the file in errors
 * @throws LukhasError USAGE that names the line; also when the file contains no key
 */
export function parseTrustedKeys(text: string, where: string): TrustedKey[] {
  const keys: TrustedKey[] = [];
  let pem: string[] | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (pem === null && (line === '' || line.startsWith('#'))) continue;
    if (line.startsWith('-----BEGIN ')) pem = [];
    pem?.push(line);
    if (pem !== null && !line.startsWith('-----END ')) continue;
    keys.push(readKey(pem === null ? line : `${pem.join('\n')}\n`, `${where}, line ${index + 1}`));
    pem = null;
  }
  if (pem !== null) throw new LukhasError('USAGE', `${where}: ends in the middle of a key`);
  if (keys.length === 0) throw new LukhasError('USAGE', `${where}: contains no public key`);
  return keys;
}

/** The witness keys among the trusted keys (vkeys of type 0x04), each once; none when `trust` is null. */
export function witnessKeys(trust: readonly TrustedKey[] | null): VerifierKey[] {
  const keys = (trust ?? []).flatMap(({ vkey }) => (vkey?.type === SIGNATURE_TYPE.cosignature ? [vkey] : []));
  const isSame = (a: VerifierKey, b: VerifierKey) => a.name === b.name && keyId(a) === keyId(b);
  return keys.filter((key, index) => keys.findIndex((other) => isSame(key, other)) === index);
}

function readKey(text: string, where: string): TrustedKey {
  if (text.includes('PRIVATE KEY')) {
    throw new LukhasError('USAGE', `${where}: this is a private key; verifying needs the public key`, {
      suggestions: ['Print the public key: lukhas keys show'],
    });
  }
  try {
    const { publicKey, vkey } = readForm(text);
    return { publicKey, vkey, fingerprint: fingerprint(publicKey) };
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    throw new LukhasError('USAGE', `${where}: ${cause.message}`, { cause });
  }
}

function readForm(text: string): { publicKey: Buffer; vkey: VerifierKey | null } {
  if (text.startsWith('-----')) return { publicKey: parseSpkiPem(text), vkey: null };
  // In allowed_signers, principals and options come before the key.
  const ssh = /(?:^|\s)(ssh-ed25519 .*)$/.exec(text)?.[1];
  if (ssh !== undefined) return { publicKey: parseOpenSsh(ssh).publicKey, vkey: null };
  const other = /(?:^|\s)((?:ssh|ecdsa|sk)-[a-z0-9@.-]+) AAAA/.exec(text)?.[1];
  if (other !== undefined) throw refused(`public key: is of type ${other}, not ssh-ed25519`);
  if (!VKEY.test(text)) throw refused('not a public key: expected a vkey, an OpenSSH line or PEM');
  const vkey = parseVkey(text);
  return { publicKey: vkey.publicKey, vkey };
}

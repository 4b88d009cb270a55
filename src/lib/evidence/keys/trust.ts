import { LukhasError } from '../../errors.js';
import { fingerprint, parseOpenSsh, parseSpkiPem, parseVkey, refused } from '../formats/index.js';
import { EXPORT_PRINCIPAL, parseAllowedSigner } from './allowed-signers.js';
import { ofVkey, type TrustedKey } from './authority.js';

/** An OpenSSH line without principals: the base64 of every key begins with the length of its type's name. */
const BARE = /^\s*((?:ssh|ecdsa|sk|webauthn)-[A-Za-z0-9@.-]+)[ \t]+AAAA/;

/**
 * Reads a file of public keys, in any mixture: SPKI PEM, lines of OpenSSH (`ssh-ed25519 AAAA...`), lines of allowed_signers, read as
 * ssh-keygen reads them, and vkeys (`name+hash+base64`). Empty lines and those that begin with # are ignored, and so are lines of
 * allowed_signers for other principals than `lukhas-export`.
 * @param where names the file in errors
 * @param now ms since the epoch: keys that allowed_signers does not admit at this time are in the result as unusable
 * @throws LukhasError USAGE that names the line; also when the file contains no key
 */
export function parseTrustedKeys(text: string, where: string, now: number): TrustedKey[] {
  const keys: TrustedKey[] = [];
  const others: string[] = [];
  let pem: string[] | null = null;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (pem === null && (line === '' || line.startsWith('#'))) continue;
    if (line.startsWith('-----BEGIN ')) pem = [];
    pem?.push(line);
    if (pem !== null && !line.startsWith('-----END ')) continue;
    // A line of allowed_signers is not trimmed of more than ssh-keygen takes for white space.
    const form = pem === null ? (isSpaced(line) ? raw : line) : `${pem.join('\n')}\n`;
    const read = readKey(form, `${where}, line ${index + 1}`, now);
    if ('otherPrincipals' in read) others.push(read.otherPrincipals);
    else keys.push(read);
    pem = null;
  }
  if (pem !== null) throw new LukhasError('USAGE', `${where}: ends in the middle of a key`);
  if (keys.length === 0) throw noKey(where, others);
  return keys;
}

function noKey(where: string, others: readonly string[]): LukhasError {
  if (others.length === 0) return new LukhasError('USAGE', `${where}: contains no public key`);
  const names = JSON.stringify(others.join(' ').slice(0, 100));
  return new LukhasError(
    'USAGE',
    `${where}: contains no public key for ${EXPORT_PRINCIPAL}: its lines are for the principals ${names}`,
    { suggestions: ['Print a line for it: lukhas keys show --role export --form allowed-signers'] },
  );
}

function readKey(text: string, where: string, now: number): TrustedKey | { otherPrincipals: string } {
  if (text.includes('PRIVATE KEY')) {
    throw new LukhasError('USAGE', `${where}: this is a private key; verifying needs the public key`, {
      suggestions: ['Print the public key: lukhas keys show'],
    });
  }
  try {
    return readForm(text, where, now);
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    throw new LukhasError('USAGE', `${where}: ${cause.message}`, { cause });
  }
}

function readForm(text: string, where: string, now: number): TrustedKey | { otherPrincipals: string } {
  if (text.startsWith('-----')) return nameless('pem', parseSpkiPem(text), where);
  const type = BARE.exec(text)?.[1];
  if (type === 'ssh-ed25519') return nameless('openssh', parseOpenSsh(text.trim()).publicKey, where);
  if (type !== undefined) throw refused(`public key: is of type ${type}, not ssh-ed25519`);
  if (!isSpaced(text)) return ofVkey(vkeyIn(text), where);
  const signer = parseAllowedSigner(text, now);
  return 'otherPrincipals' in signer
    ? signer
    : { ...nameless('allowed-signer', signer.publicKey, where), unusable: signer.unusable };
}

/** Neither the name nor the base64 of a vkey can contain white space. */
function isSpaced(text: string): boolean {
  return /\s/.test(text);
}

/** Looks like a vkey, maybe a damaged one. */
const VKEY = /^[^\s+]+\+[0-9A-Fa-f]+\+/;

function vkeyIn(text: string): ReturnType<typeof parseVkey> {
  if (!VKEY.test(text)) throw refused('not a public key: expected a vkey, an OpenSSH line or PEM');
  return parseVkey(text);
}

function nameless(kind: 'openssh' | 'allowed-signer' | 'pem', publicKey: Buffer, where: string): TrustedKey {
  return { publicKey, fingerprint: fingerprint(publicKey), kind, vkey: null, where, unusable: null };
}

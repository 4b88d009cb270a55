import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cannotWrite, LukhasError } from '../../errors.js';
import { createFile, refuseOpenFolder } from '../../files/index.js';
import { isRootsAlone, makeFolder, type Owner, openFolder } from '../../process/index.js';
import type { Signer } from '../formats/index.js';
import { fingerprint, rawPublicKey } from '../formats/index.js';

/**
 * What a key is for. `log` signs checkpoints of the log, `export` signs evidence packs. They are separate, so that someone
 * who may export cannot rewrite the log.
 */
export const KEY_ROLES = ['log', 'export'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** Permissions of other users; like ssh, lukhas refuses a key that others could have read. */
const OTHERS = 0o077;
const NAME_IT = 'Or name its file: LUKHAS_LOG_KEY_FILE, LUKHAS_EXPORT_KEY_FILE, or keys in the configuration.';
/** A key takes 119 bytes; a much longer file is something else. */
const MAX_BYTES = 16_384;

/** A private Ed25519 key that cannot leak into a log, an error or a dump. */
export class SigningKey implements Signer {
  readonly #key: KeyObject;
  /** 32 bytes. */
  readonly publicKey: Buffer;

  /** @param key private, of type ed25519 */
  constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = rawPublicKey(key);
  }

  /** Of the public key: `SHA256:...`, as ssh-keygen -l prints it. */
  get fingerprint(): string {
    return fingerprint(this.publicKey);
  }

  /** Ed25519 (RFC 8032) over exactly these bytes, 64 bytes: what `openssl pkeyutl -verify -rawin -sigfile` takes. */
  sign(message: Uint8Array): Buffer {
    return sign(null, message, this.#key);
  }

  toJSON(): string {
    return this.fingerprint;
  }
}

/** A new key, in memory only. */
export function generateSigningKey(): SigningKey {
  return new SigningKey(generateKeyPairSync('ed25519').privateKey);
}

/**
 * Reads a private key: PKCS#8 PEM without a passphrase, in a file that only its owner may read.
 * @param owner of the database beside which root found the file: it has to be theirs, and no link of theirs leads root to it, as
 *   they would have root sign with a key of another log. Null: somebody named the file, or it is read by its user
 * @throws LukhasError CONFIG: missing, unreadable, open to other users, not an Ed25519 key, or not the owner's
 */
export async function readSigningKey(path: string, owner: Owner | null = null): Promise<SigningKey> {
  return new SigningKey(parsePrivateKey(await readPrivate(path, owner), path));
}

/**
 * Creates a key and its file (mode 0600; a missing folder 0700). Never overwrites a file.
 * @param owner whom it belongs to where root makes it; null: whoever makes it
 * @returns null when `path` already exists
 * @throws LukhasError CONFIG when the file cannot be written, or others may write to the folder
 */
export async function createSigningKey(path: string, owner: Owner | null = null): Promise<SigningKey | null> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  try {
    makeFolder(dirname(path), 0o700, owner);
    await refuseOpenFolder(dirname(path), 'put another key there');
    if (!(await createFile(path, pem, { mode: 0o600, owner }))) return null;
  } catch (cause) {
    if (cause instanceof LukhasError) throw cause;
    throw cannotWrite('CONFIG', `${path}: the key cannot be written (${codeOf(cause)})`, cause);
  }
  return new SigningKey(privateKey);
}

async function readPrivate(path: string, owner: Owner | null): Promise<string> {
  const file = await openKey(path, owner);
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new LukhasError('CONFIG', `${path}: is not a file`);
    if (owner !== null && info.uid !== owner.uid) {
      const whose = `belongs to uid ${info.uid}, the database to uid ${owner.uid}`;
      throw new LukhasError('CONFIG', `${path}: this key ${whose}; root does not sign with it`, {
        suggestions: [`If it is the key of this database: chown ${owner.uid} ${path}`, NAME_IT],
      });
    }
    if ((info.mode & OTHERS) !== 0) {
      const mode = (info.mode & 0o777).toString(8).padStart(4, '0');
      throw new LukhasError('CONFIG', `${path}: mode is ${mode}: other users may read this private key`, {
        suggestions: [`chmod 600 ${path}`, 'If someone else may have read it, create a new key.'],
      });
    }
    if (info.size > MAX_BYTES) throw new LukhasError('CONFIG', `${path}: is too long to be a key`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function openKey(path: string, owner: Owner | null): Promise<FileHandle> {
  try {
    if (owner !== null) return await openOwned(path, owner);
    // Before opening: opening a pipe would wait for its other end.
    const info = await stat(path);
    if (!info.isFile()) throw new LukhasError('CONFIG', `${path}: is not a file`);
    return await open(path, 'r');
  } catch (cause) {
    if (cause instanceof LukhasError) throw cause;
    if (owner !== null && codeOf(cause) === 'ELOOP') {
      throw new LukhasError('CONFIG', `${path}: is a link; root follows no links of other users to a key`, {
        cause,
        suggestions: ['Put the key itself there.', NAME_IT],
      });
    }
    const missing = codeOf(cause) === 'ENOENT';
    const why = missing ? 'key not found' : `the key cannot be read (${codeOf(cause)})`;
    const suggestions = missing ? ['Create the keys: lukhas keys init'] : [];
    throw new LukhasError('CONFIG', `${path}: ${why}`, { cause, suggestions });
  }
}

/** Through the folder, as its owner could meanwhile put another in its place. */
async function openOwned(path: string, owner: Owner): Promise<FileHandle> {
  const folder = openFolder(dirname(path), owner);
  try {
    const follow = isRootsAlone(await stat(folder.path)) ? 0 : constants.O_NOFOLLOW;
    // A pipe does not wait for its other end then.
    return await open(join(folder.path, basename(path)), constants.O_RDONLY | constants.O_NONBLOCK | follow);
  } finally {
    folder.close();
  }
}

function parsePrivateKey(pem: string, path: string): KeyObject {
  const bad = (what: string) =>
    new LukhasError('CONFIG', `${path}: ${what}`, {
      suggestions: ['Use a key in PKCS#8 PEM, from lukhas keys init or openssl genpkey -algorithm ed25519'],
    });
  if (pem.includes('ENCRYPTED')) throw bad('the key has a passphrase, which lukhas does not support');
  if (pem.includes('BEGIN OPENSSH')) throw bad('the key is in OpenSSH format');
  if (!pem.includes('BEGIN PRIVATE KEY')) throw bad('is not a private key');
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Without the cause: it may quote the key.
    throw bad('the private key cannot be read');
  }
  if (key.asymmetricKeyType !== 'ed25519') throw bad(`the key is of type ${key.asymmetricKeyType}, not ed25519`);
  return key;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

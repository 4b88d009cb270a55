import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LukhasError } from '../../errors.js';
import {
  badName,
  formatVkey,
  isKeyName,
  parseVkey,
  SIGNATURE_TYPE,
  toSpkiPem,
  type VerifierKey,
} from '../../evidence/formats/index.js';
import { createSigningKey, originOfKey, readSigningKey, type SigningKey } from '../../evidence/keys/index.js';
import { Witness, type WitnessOptions, WitnessStore } from '../../evidence/witness/index.js';
import { createFile } from '../../files/index.js';
import { ownerFor } from '../../process/index.js';

/** A witness's folder holds `witness.pem` (private key, 0600), `witness.vkey` (its name and public key) and `logs/` (what it has cosigned). */
export interface WitnessIdentity {
  folder: string;
  name: string;
  /** One line, for the operators of logs and for auditors. */
  vkey: string;
  /** SPKI PEM of its public key, for openssl. */
  pem: string;
  /** False: it existed before. */
  created: boolean;
}

/**
 * Creates the key of a witness, or returns the existing one.
 * @param name null: the name it has, or one derived from its key
 * @throws LukhasError USAGE: an invalid name; CONFIG: files that cannot be used, or a different name than it has
 */
export async function initWitness(folder: string, name: string | null): Promise<WitnessIdentity> {
  // Checked first, so that no key is created without a valid name.
  if (name !== null && !isKeyName(name)) throw new LukhasError('USAGE', `--name: ${badName(name)}`);
  const path = join(folder, 'witness.pem');
  const owner = ownerFor(folder);
  const made = await createSigningKey(path, owner);
  const key = made ?? (await readSigningKey(path, owner));
  const own = name ?? `lukhas-witness/${originOfKey(key.publicKey).split('/')[1]}`;
  const vkey = formatVkey({ name: own, type: SIGNATURE_TYPE.cosignature, publicKey: key.publicKey });
  // A key must never have two names, because cosignatures do not sign the name.
  const created = await createFile(join(folder, 'witness.vkey'), `${vkey}\n`, { owner });
  const { name: known, vkey: there } = created ? { name: own, vkey } : await identityOf(folder, key);
  if (name !== null && name !== known) {
    throw new LukhasError('CONFIG', `${folder}: this witness is named ${known} and cannot be renamed`, {
      suggestions: ['Create another witness in another folder.'],
    });
  }
  return { folder, name: known, vkey: there, pem: toSpkiPem(key.publicKey), created };
}

/**
 * The witness of a folder. A folder without a key is refused: its mount may be missing, and a witness without its records would
 * cosign anything.
 * @throws LukhasError CONFIG; USAGE when the witness's own key is given as that of a log
 */
export async function openWitness(
  folder: string,
  options: Pick<WitnessOptions, 'now' | 'onRefused'> & { logs: readonly VerifierKey[] },
): Promise<{ witness: Witness; identity: WitnessIdentity }> {
  let key: SigningKey;
  try {
    key = await readSigningKey(join(folder, 'witness.pem'), ownerFor(folder));
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    throw new LukhasError('CONFIG', cause.message, {
      cause,
      suggestions: [`Create the key of a new witness: lukhas witness key --db-dir ${folder}`],
    });
  }
  const identity = await identityOf(folder, key);
  if (options.logs.some(({ publicKey }) => publicKey.equals(key.publicKey))) {
    throw new LukhasError(
      'USAGE',
      '--log: the key of a log is the key of this witness; one key cannot do the work of both',
      {
        suggestions: ['Pass the vkey of the log, from its operator: lukhas keys show --role log --form vkey'],
      },
    );
  }
  const store = new WitnessStore(join(folder, 'logs'));
  return { witness: new Witness({ ...options, name: identity.name, key, store }), identity };
}

async function identityOf(folder: string, key: SigningKey): Promise<WitnessIdentity> {
  const path = join(folder, 'witness.vkey');
  try {
    const vkey = (await readFile(path, 'utf8')).trimEnd();
    const { name, type, publicKey } = parseVkey(vkey);
    if (type === SIGNATURE_TYPE.cosignature && publicKey.equals(key.publicKey))
      return { folder, name, vkey, pem: toSpkiPem(publicKey), created: false };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = cause instanceof LukhasError ? cause.message : `cannot be read (${code})`;
    throw new LukhasError('CONFIG', `${path}: ${why}`, { cause });
  }
  throw new LukhasError('CONFIG', `${path}: does not match the key in witness.pem`);
}

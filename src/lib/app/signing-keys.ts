import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { LukhasError } from '../errors.js';
import {
  createSigningKey,
  KEY_ROLES,
  type KeyRole,
  originOfKey,
  type PublicForms,
  publicForms,
  readSigningKey,
  type SigningKey,
} from '../evidence/keys/index.js';
import { ownerFor } from '../process/index.js';
import type { Config } from './config.js';
import { checkpointFolder, noteMadeFor } from './evidence-places.js';

export interface KeyFile extends PublicForms {
  path: string;
  /** False: the file was there and is as it was. */
  created: boolean;
}

/**
 * Makes the keys that are missing; files that exist are read, and never written.
 * @throws LukhasError CONFIG: a file that cannot be made or used, or one key for both roles
 */
export async function initKeys(config: Config): Promise<KeyFile[]> {
  if (config.keys.log === config.keys.export) throw sameKey(config.keys.log);
  const made = [];
  for (const role of KEY_ROLES) {
    const path = config.keys[role];
    // Looked for first: a full disk is no reason not to use a key that is there.
    const key = existsSync(path) ? null : await createSigningKey(path, ownerFor(config.dbPath));
    if (key !== null && role === 'log') await noteMadeFor(config.dbPath, dirname(path), ownerFor(config.dbPath));
    made.push({ role, path, created: key !== null, key: key ?? (await readKey(config, role)) });
  }
  return described(config, made);
}

/**
 * The private key of a role. As root, one that nobody named has to be the database owner's.
 * @throws LukhasError CONFIG
 */
export function readKey({ keys, dbPath }: Config, role: KeyRole): Promise<SigningKey> {
  return readSigningKey(keys[role], keys.named[role] ? null : ownerFor(dbPath));
}

/** Files of keys that are not there. */
export function missingKeys({ keys }: Config): string[] {
  return KEY_ROLES.map((role) => keys[role]).filter((path) => !existsSync(path));
}

/** The public side of keys that exist. @throws LukhasError CONFIG */
export async function showKeys(config: Config, roles: readonly KeyRole[] = KEY_ROLES): Promise<KeyFile[]> {
  const found = [];
  for (const role of roles) {
    const path = config.keys[role];
    found.push({ role, path, created: false, key: await readKey(config, role) });
  }
  return described(config, found);
}

/** The log's name on checkpoints that are signed now: as configured, else after its key. */
export function logOrigin(config: Config, logKey: SigningKey): string {
  return config.keys.origin ?? originOfKey(logKey.publicKey);
}

/**
 * The name that others need to verify the log: as configured, else that of the newest checkpoint, else after its key. Signing it
 * under another than that of the newest checkpoint is refused.
 * @throws LukhasError VERIFICATION when that checkpoint is invalid; CONFIG when it cannot be read
 */
export async function knownOrigin(config: Config, logKey: SigningKey): Promise<string> {
  if (config.keys.origin !== null) return config.keys.origin;
  const folder = checkpointFolder(config);
  if (!existsSync(folder)) return logOrigin(config, logKey);
  const { CheckpointFiles, readKept } = await import('../evidence/checkpoints/index.js');
  const files = new CheckpointFiles(folder);
  const newest = (await files.sizes()).at(-1);
  return newest === undefined ? logOrigin(config, logKey) : (await readKept(files, newest)).origin;
}

async function described(
  config: Config,
  files: readonly { role: KeyRole; path: string; created: boolean; key: SigningKey }[],
): Promise<KeyFile[]> {
  const [first, second] = files;
  if (first && second && first.key.publicKey.equals(second.key.publicKey)) throw sameKey(second.path);
  const log = files.find(({ role }) => role === 'log');
  const origin = log === undefined ? '' : await knownOrigin(config, log.key);
  return files.map(({ role, path, created, key }) => ({
    ...publicForms(role, key.publicKey, origin),
    path,
    created,
  }));
}

function sameKey(path: string): LukhasError {
  return new LukhasError('CONFIG', `${path}: the log and exports must not share one key`, {
    suggestions: ['Otherwise anyone who can sign packs could sign a different history of the log.'],
  });
}

import { dirname } from 'node:path';
import { KEY_ROLES } from '../../evidence/keys/index.js';
import type { Config } from '../config.js';
import { missingKeys, showKeys } from '../signing-keys.js';
import { type Found, failure, ok, warn } from './check.js';

/** The keys that sign checkpoints and packs: there, only ours to read, and what the log is called. */
export async function keyChecks(config: Config): Promise<Found[]> {
  const missing = missingKeys(config);
  if (missing.length === KEY_ROLES.length)
    return [warn(`no keys in ${dirname(missing[0] ?? '')}: nothing can be signed`, 'Create them: lukhas keys init')];
  const roles = KEY_ROLES.filter((role) => !missing.includes(config.keys[role]));
  const found: Found[] = missing.map((path) => warn(`${path}: key not found`, 'Create it: lukhas keys init'));
  try {
    // Together: one key must not stand for both.
    for (const { role, path, vkey } of await showKeys(config, roles)) {
      const origin = vkey === null ? '' : `, the log is called ${vkey.split('+')[0]}`;
      found.push(ok(`${role} key ${path}: only this account may read it${origin}`));
    }
  } catch (error) {
    found.push(failure(error));
  }
  return found;
}

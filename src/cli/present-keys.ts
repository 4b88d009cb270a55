import type { KeyFile } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { block, type Styled } from './screen.js';

/** Forms of a public key that a command prints alone. */
export const KEY_FORMS = ['fingerprint', 'pem', 'ssh', 'allowed-signers', 'vkey'] as const;

type KeyForm = (typeof KEY_FORMS)[number];

const FIELD: { readonly [F in KeyForm]: 'fingerprint' | 'pem' | 'ssh' | 'allowedSigner' | 'vkey' } = {
  fingerprint: 'fingerprint',
  pem: 'pem',
  ssh: 'ssh',
  'allowed-signers': 'allowedSigner',
  vkey: 'vkey',
};

/** The public keys for a person: what they are for, their fingerprints, and the forms that are one line. */
export function presentKeys(keys: readonly KeyFile[]): Styled {
  return block(
    keys.flatMap(({ role, fingerprint, ssh, vkey }) => [
      `${role} key: signs ${role === 'log' ? 'checkpoints of the log' : 'evidence packs'}`,
      `  fingerprint  ${fingerprint}`,
      `  ssh          ${ssh}`,
      ...(vkey === null ? [] : [`  vkey         ${vkey}`]),
    ]),
  );
}

/** One form alone, ready for a file. @throws LukhasError USAGE when none of the keys has it */
export function presentForm(keys: readonly KeyFile[], form: KeyForm): string {
  const found = keys.flatMap((key) => key[FIELD[form]] ?? []);
  if (found.length > 0) return found.map((text) => `${text.trimEnd()}\n`).join('');
  throw new LukhasError('USAGE', `--form: the ${keys[0]?.role} key has no form ${form}`, {
    suggestions: ['vkey is of the log key, allowed-signers of the export key.'],
  });
}

import type { KeyFile } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { block, type Styled } from './screen.js';

/** Formats of a public key that a command can print alone. */
export const KEY_FORMS = ['fingerprint', 'pem', 'ssh', 'allowed-signers', 'vkey'] as const;

type KeyForm = (typeof KEY_FORMS)[number];

const FIELD: { readonly [F in KeyForm]: 'fingerprint' | 'pem' | 'ssh' | 'allowedSigner' | 'vkey' } = {
  fingerprint: 'fingerprint',
  pem: 'pem',
  ssh: 'ssh',
  'allowed-signers': 'allowedSigner',
  vkey: 'vkey',
};

/** The public keys as text: what each is for, its fingerprint, and its one-line formats. */
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

/** One format alone, ready for a file. @throws LukhasError USAGE when none of the keys has it */
export function presentForm(keys: readonly KeyFile[], form: KeyForm): string {
  const found = keys.flatMap((key) => key[FIELD[form]] ?? []);
  if (found.length > 0) return found.map((text) => `${text.trimEnd()}\n`).join('');
  throw new LukhasError('USAGE', `--form ${form}: not available for the ${keys[0]?.role} key`, {
    suggestions: ['Use vkey with the log key, and allowed-signers with the export key.'],
  });
}

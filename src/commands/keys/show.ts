import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { KEY_FORMS, presentForm, presentKeys } from '../../cli/present-keys.js';
import { printData } from '../../cli/screen.js';
import type { KeyRole } from '../../lib/evidence/keys/index.js';

const ROLES = ['log', 'export'] as const satisfies readonly KeyRole[];

export default class KeysShow extends BaseCommand {
  static override summary = 'print the public keys that verify checkpoints and evidence packs';
  static override examples = [
    '<%= config.bin %> keys show',
    '<%= config.bin %> keys show --form allowed-signers > allowed_signers',
  ];
  static override flags = {
    role: Flags.option({ options: ROLES, description: 'only this key (default: both)' })(),
    form: Flags.option({
      options: KEY_FORMS,
      description: 'only this format: pem for openssl, ssh and allowed-signers for ssh-keygen, vkey for checkpoints',
    })(),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(KeysShow);
    const [{ loadConfig }, { showKeys }] = await Promise.all([
      import('../../lib/app/config.js'),
      import('../../lib/app/signing-keys.js'),
    ]);
    const config = await loadConfig({ flags: { db: flags.db, config: flags.config } });
    const keys = await showKeys(config, flags.role === undefined ? undefined : [flags.role]);
    if (flags.form === undefined) this.log(presentKeys(keys));
    else if (!this.jsonEnabled()) printData(presentForm(keys, flags.form));
    return { keys };
  }
}

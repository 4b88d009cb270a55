import { BaseCommand } from '../../cli/base-command.js';
import { presentKeys } from '../../cli/present-keys.js';

export default class KeysInit extends BaseCommand {
  static override summary = 'create the keys that sign checkpoints and evidence packs';
  static override seeResult = 'lukhas keys show';
  static override description =
    'Creates two Ed25519 keys in keys/ next to the database, or in the files given in LUKHAS_LOG_KEY_FILE and LUKHAS_EXPORT_KEY_FILE. Existing keys are not replaced.';
  static override examples = ['<%= config.bin %> keys init'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(KeysInit);
    const [{ loadConfig }, { initKeys }] = await Promise.all([
      import('../../lib/app/config.js'),
      import('../../lib/app/signing-keys.js'),
    ]);
    const keys = await initKeys(await loadConfig({ flags: { db: flags.db, config: flags.config } }));
    if (!this.jsonEnabled()) {
      for (const { role, path, created } of keys) this.log(`${created ? 'created' : 'exists'}  ${role} key  ${path}`);
      this.log(presentKeys(keys));
      this.say('Keep both files secret and back them up. Give the public keys above to the people who verify.');
    }
    return { keys };
  }
}

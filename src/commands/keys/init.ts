import { BaseCommand } from '../../cli/base-command.js';
import { presentKeys } from '../../cli/present-keys.js';

export default class KeysInit extends BaseCommand {
  static override summary = 'make the keys that sign checkpoints of the log and evidence packs';
  static override description =
    'Two Ed25519 keys, in keys/ beside the database or where LUKHAS_LOG_KEY_FILE and LUKHAS_EXPORT_KEY_FILE say. A key that is there is kept.';
  static override examples = ['<%= config.bin %> keys init'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(KeysInit);
    const [{ loadConfig }, { initKeys }] = await Promise.all([
      import('../../lib/app/config.js'),
      import('../../lib/app/signing-keys.js'),
    ]);
    const keys = await initKeys(await loadConfig({ flags: { db: flags.db, config: flags.config } }));
    if (!this.jsonEnabled()) {
      for (const { role, path, created } of keys) this.log(`${created ? 'made' : 'kept'}  ${role} key  ${path}`);
      this.log(presentKeys(keys));
      this.say('Keep the two files secret and safe; give what is above to whoever will verify.');
    }
    return { keys };
  }
}

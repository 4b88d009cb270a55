import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';

export default class DbRestore extends BaseCommand {
  static override summary = 'put an encrypted backup in the place of the database';
  static override seeResult = 'lukhas db status';
  static override description =
    'Decrypts the copy, recomputes every entry and the root of its log, and compares them with the checkpoint beside it, with those kept on this machine and with the log that is there. Only then is the database replaced; the old one is kept beside it. Stop `lukhas serve` first. Exit code 7 if the copy is cut off, altered, or older than what is there.';
  static override examples = [
    '<%= config.bin %> db restore /mnt/backups/lukhas-1a2b3c4d-20261130T030000Z.db.age --identity backup.key',
    '<%= config.bin %> db restore copy.db.age --identity backup.key --checkpoint checkpoint --trust log.vkey',
  ];
  static override args = {
    file: Args.string({ description: 'encrypted backup', required: true }),
  };
  static override flags = {
    identity: Flags.string({
      description: 'file with the secret key, as age-keygen writes it',
      helpValue: 'KEYFILE',
      required: true,
    }),
    checkpoint: Flags.string({
      description: 'checkpoint that the copy must continue (default: the one beside it)',
      helpValue: 'FILE',
    }),
    trust: Flags.string({
      description: 'file of public keys trusted to sign the checkpoint (may be repeated)',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    older: Flags.boolean({
      default: false,
      description: 'also replace a log that has entries the copy lacks, or different ones',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(DbRestore);
    const [{ restoreBackup }, { loadConfig }, { systemClock }, { presentRestore }] = await Promise.all([
      import('../../lib/app/database/restore.js'),
      import('../../lib/app/config.js'),
      import('../../lib/clock.js'),
      import('../../cli/present-database.js'),
    ]);
    const config = await loadConfig({ flags: { db: flags.db, config: flags.config } });
    const { identity, checkpoint = null, trust = [], older } = flags;
    const request = { config, clock: systemClock(), by: config.actor, file: args.file };
    const result = await restoreBackup({ ...request, identity, checkpoint, trust, older });
    if (!this.jsonEnabled()) this.log(presentRestore(result));
    return result;
  }
}

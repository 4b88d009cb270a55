import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { interruptible } from '../../cli/interrupt.js';

export default class DbBackup extends BaseCommand {
  static override summary = 'write an encrypted copy of the database to a folder or to a program';
  static override seeResult = 'lukhas db status';
  static override description =
    'Copies the database as of one moment, while other processes go on writing, and encrypts the copy to age recipients; there are no unencrypted backups. A checkpoint of the log is signed first and put beside the copy, if there is a log key. Flags take precedence over database.backup in lukhas.yaml. Restore with `lukhas db restore`, or decrypt with the program age.';
  static override examples = [
    '<%= config.bin %> db backup --to /mnt/backups --recipient age1...',
    '<%= config.bin %> db backup --to /mnt/backups --keep 30',
    '<%= config.bin %> db backup --command rclone -- rcat remote:lukhas.db.age',
  ];
  static override strict = false;
  static override args = {
    argument: Args.string({ description: 'after --: arguments of the program that --command names' }),
  };
  static override flags = {
    to: Flags.string({ description: 'folder to write the copy to', helpValue: 'DIR', exclusive: ['command'] }),
    command: Flags.string({
      description: 'program that is given the copy on standard input; its arguments follow after --',
      helpValue: 'PROGRAM',
    }),
    'pass-env': Flags.string({
      description: 'variable that the program inherits (may be repeated)',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['command'],
    }),
    recipient: Flags.string({
      description: 'age public key that can decrypt the copy (may be repeated)',
      helpValue: 'age1...',
      multiple: true,
      multipleNonGreedy: true,
    }),
    keep: Flags.integer({
      description: 'how many copies of this log to keep in the folder (default: 14)',
      helpValue: 'N',
      min: 1,
    }),
  };

  async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(DbBackup);
    const app = await this.app(flags, { mustExist: true });
    const [{ backupTarget }, { makeBackup }, { presentBackup }] = await Promise.all([
      import('../../cli/backup-target.js'),
      import('../../lib/app/database/backup.js'),
      import('../../cli/present-database.js'),
    ]);
    const { ledger, clock, config } = app;
    const target = backupTarget(config, flags, argv as string[]);
    const recipients = flags.recipient ?? config.database.backup.recipients;
    const result = await interruptible(({ signal }) =>
      makeBackup({ ledger, config, clock, by: config.actor, target, recipients, signal }),
    );
    if (!this.jsonEnabled()) this.log(presentBackup(result));
    return result;
  }
}

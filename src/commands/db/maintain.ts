import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { interruptible } from '../../cli/interrupt.js';
import { EXIT } from '../../lib/errors.js';

export default class DbMaintain extends BaseCommand {
  static override summary = 'prune old observations, and make the database compact';
  static override description =
    'Deletes the observations of canaries that ended more than database.retention.observationDays ago (default 30), all of a canary at once, and records that in the log. The log itself is kept for ever. Then joins the search index, writes the write-ahead log into the database, and gives free space back. Other processes go on writing meanwhile. The daemon does this every night. Exit code 7 if observations were left because they are not as recorded.';
  static override examples = ['<%= config.bin %> db maintain --dry-run', '<%= config.bin %> db maintain'];
  static override flags = {
    'dry-run': Flags.boolean({ default: false, description: 'only show what would be pruned; change nothing' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(DbMaintain);
    const dryRun = flags['dry-run'];
    const app = await this.app(flags, dryRun ? { readOnly: true } : { mustExist: true });
    const [{ maintain }, { presentMaintenance }] = await Promise.all([
      import('../../lib/app/database/maintain.js'),
      import('../../cli/present-database.js'),
    ]);
    const { ledger, clock, config } = app;
    const { retention } = config.database;
    const result = await interruptible(({ signal }) =>
      maintain({ ledger, clock, by: config.actor, retention, dryRun, signal }),
    );
    if (result.refused.length > 0) process.exitCode = EXIT.verification;
    if (!this.jsonEnabled()) this.log(presentMaintenance(result));
    return result;
  }
}

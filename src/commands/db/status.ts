import { BaseCommand } from '../../cli/base-command.js';

export default class DbStatus extends BaseCommand {
  static override summary = 'show the size of the database, its growth, and the last maintenance and backup';
  static override description =
    "Growth is measured by the log's own times, over its newest 30 days at most. Reads the whole file once.";
  static override examples = ['<%= config.bin %> db status', '<%= config.bin %> db status --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(DbStatus);
    const app = await this.app(flags, { readOnly: true });
    const [{ databaseStatus }, { presentStatus }] = await Promise.all([
      import('../../lib/app/database/status.js'),
      import('../../cli/present-database.js'),
    ]);
    const status = await databaseStatus(app.ledger, app.config.dbPath, app.clock);
    if (!this.jsonEnabled()) for (const part of presentStatus(status, app.clock.now())) this.log(part);
    return status;
  }
}

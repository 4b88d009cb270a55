import { BaseCommand } from '../../cli/base-command.js';

export default class DbRebuild extends BaseCommand {
  static override summary = 'rebuild listings and the search index from the log';
  static override description =
    'Listings and searches read tables that are derived from the log. This command drops those tables and builds them again.';

  async run(): Promise<unknown> {
    const { flags } = await this.parse(DbRebuild);
    const app = await this.app(flags, { mayBeOlder: true, mustExist: true });
    const rows = await app.canaries.rebuild();
    await app.search.rebuild();
    if (!this.jsonEnabled()) this.log(`rebuilt ${rows} rows from ${await app.ledger.size()} log entries`);
    return { rows, entries: await app.ledger.size() };
  }
}

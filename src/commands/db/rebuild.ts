import { BaseCommand } from '../../cli/base-command.js';

export default class DbRebuild extends BaseCommand {
  static override summary = 'drop what is derived from the log, and derive it again';
  static override description =
    'Listings read rows that summarise the log, and searches an index of it. They hold nothing of their own: this makes them anew.';

  async run(): Promise<unknown> {
    const { flags } = await this.parse(DbRebuild);
    const app = await this.app(flags, { mayBeOlder: true });
    const rows = await app.canaries.rebuild();
    await app.search.rebuild();
    if (!this.jsonEnabled()) this.log(`${rows} rows derived from ${await app.ledger.size()} log entries`);
    return { rows, entries: await app.ledger.size() };
  }
}

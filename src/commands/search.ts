import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { table } from '../cli/table.js';
import { LukhasError } from '../lib/errors.js';

export default class Search extends BaseCommand {
  static override summary = 'find canaries, decisions, jobs, models, policies and pages by words, names or ids';
  static override description =
    'All words have to be there; where nothing holds all of them, any will do. The last one may be the beginning of a word. Names and ids come first.';
  static override examples = [
    '<%= config.bin %> search fraud-v2 rolled back',
    '<%= config.bin %> search "missing metrics" --json',
  ];
  static override args = { query: Args.string({ description: 'words, a name or an id', required: true }) };
  static override strict = false;
  static override flags = {
    limit: Flags.integer({ description: 'at most so many', default: 10, min: 1, max: 50 }),
  };

  async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Search);
    const app = await this.app(flags, { mayBeOlder: true }).catch((error: unknown) => {
      // The index is then made in memory.
      if (error instanceof LukhasError && error.code === 'LEDGER_READ_ONLY') return this.app(flags, { readOnly: true });
      throw error;
    });
    const results = await app.search.search({ query: argv.join(' '), limit: flags.limit });
    if (!this.jsonEnabled())
      this.log(
        results.length === 0
          ? 'nothing found'
          : table(
              ['ID', 'TITLE'],
              results.map(({ id, title }) => [id, title]),
            ),
      );
    return { results };
  }
}

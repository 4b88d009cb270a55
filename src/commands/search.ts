import { Args, Flags } from '@oclif/core';
import { advice } from '../cli/advice.js';
import { BaseCommand } from '../cli/base-command.js';
import { table } from '../cli/table.js';
import { LukhasError } from '../lib/errors.js';

export default class Search extends BaseCommand {
  static override summary = 'search canaries, decisions, jobs, models, policies and documentation';
  static override description =
    'Finds entries with all words, or with any of them if none has all. The last word may be a prefix. Matching names and ids come first.';
  static override examples = [
    '<%= config.bin %> search fraud-v2 rolled back',
    '<%= config.bin %> search "missing metrics" --json',
  ];
  static override args = { query: Args.string({ description: 'words, a name or an id', required: true }) };
  static override strict = false;
  static override flags = {
    limit: Flags.integer({ description: 'maximum number of results', default: 10, min: 1, max: 50 }),
  };

  async run(): Promise<unknown> {
    const { flags, argv } = await this.parse(Search);
    const app = await this.app(flags, { mayBeOlder: true }).catch((error: unknown) => {
      // The index is then made in memory.
      if (error instanceof LukhasError && error.code === 'LEDGER_READ_ONLY') return this.app(flags, { readOnly: true });
      throw error;
    });
    const { hits: results, warning } = await app.search.results({ query: argv.join(' '), limit: flags.limit });
    if (warning !== null) this.say(`warning: ${warning}`);
    if (!this.jsonEnabled())
      this.log(
        results.length === 0
          ? 'no results'
          : table(
              ['ID', 'TITLE'],
              results.map(({ id, title }) => [id, title]),
            ),
      );
    return { results, ...(warning === null ? {} : { warning: advice(warning) }) };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { environment } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';

export default class Watch extends BaseCommand {
  static override aliases = ['canary:watch'];
  static override summary = 'watch canaries and jobs live, here or at a daemon';
  static override description =
    'Follows the log, whoever writes it; no daemon is needed. Draws a live view in a terminal (? shows its keys), else prints a line a change, or with --json each event of the stream. Ctrl-C stops watching, not the canary. With --until-done the exit code is that of `canary start`.';
  static override examples = [
    '<%= config.bin %> watch',
    '<%= config.bin %> watch c-mx2fyy --until-done',
    '<%= config.bin %> watch --once',
    'LUKHAS_API_KEY=... <%= config.bin %> watch --url https://lukhas.example.org --json',
  ];
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it; left out: everything' }),
  };
  static override flags = {
    once: Flags.boolean({ description: 'show how things stand now, and end', exclusive: ['until-done'] }),
    'until-done': Flags.boolean({ description: 'end when the canary has ended and its hooks were called' }),
    url: Flags.string({
      description: 'watch the daemon at this address, with the key in LUKHAS_API_KEY',
      helpValue: 'URL',
      exclusive: ['db', 'config'],
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Watch);
    const { id } = args;
    if (flags['until-done'] && id === undefined)
      throw new LukhasError('USAGE', '--until-done: needs the id of a canary', {
        suggestions: ['List them: lukhas watch --once'],
      });
    const { runWatch } = await import('../cli/watching/run.js');
    return runWatch(
      {
        place: flags.url === undefined ? { db: flags.db, config: flags.config } : { url: flags.url },
        key: environment()['LUKHAS_API_KEY'] || null,
        version: this.config.version,
        say: (message) => this.say(message),
      },
      {
        id: id ?? null,
        once: flags.once ?? false,
        untilDone: flags['until-done'] ?? false,
        json: this.jsonEnabled(),
        noColor: flags['no-color'],
      },
    );
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';

export default class CanaryRetry extends BaseCommand {
  static override summary = 'call the failed hooks of a decided canary again';
  static override seeResult = 'lukhas canary list';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryRetry);
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    await app.canaries.retry(id, app.config.actor);
    return finish(
      this,
      await followToVerdict(app, id, { quiet: this.jsonEnabled(), noColor: flags['no-color'] }),
      flags['no-color'],
    );
  }
}

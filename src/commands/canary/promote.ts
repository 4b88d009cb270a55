import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';

export default class CanaryPromote extends BaseCommand {
  static override summary = 'promote a BLOCKED canary by hand; recorded as an override';
  static override seeResult = 'lukhas canary list';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'the reason; recorded in the log', helpValue: 'TEXT', required: true }),
    'break-glass': Flags.boolean({
      description:
        'promote without the required approvals; needs a reason of at least 20 characters (8 different ones) and a review by another person within 24 h',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryPromote);
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    const { actor } = app.config;
    if (flags['break-glass']) await app.approvals.breakGlass(id, actor, flags.reason);
    else await app.canaries.override(id, actor, flags.reason);
    return finish(
      this,
      await followToVerdict(app, id, { quiet: this.jsonEnabled(), noColor: flags['no-color'] }),
      flags['no-color'],
    );
  }
}

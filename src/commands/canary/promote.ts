import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';

export default class CanaryPromote extends BaseCommand {
  static override summary = 'promote a BLOCKED canary by hand; recorded as an override';
  static override args = {
    id: Args.string({ description: 'canary, or a unique beginning of its id', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'why; kept in the log', helpValue: 'TEXT', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryPromote);
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    await app.canaries.override(id, app.config.actor, flags.reason);
    return finish(this, await followToVerdict(app, id, { quiet: this.jsonEnabled() }), flags['no-color']);
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { canaryJson } from '../../lib/app/index.js';

export default class CanaryAbort extends BaseCommand {
  static override summary = 'stop a canary that is still undecided';
  static override seeResult = 'lukhas canary list';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'the reason; recorded in the log', helpValue: 'TEXT', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryAbort);
    const app = await this.app(flags, { mayBeOlder: true });
    const id = await app.canaries.resolve(args.id);
    const canary = await app.canaries.abort(id, app.config.actor, flags.reason);
    if (!this.jsonEnabled()) this.log(`aborted ${canary.id}`);
    return { ...canaryJson(canary), exit: 0 };
  }
}

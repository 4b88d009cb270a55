import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { canaryJson } from '../../lib/app/index.js';

export default class CanaryReview extends BaseCommand {
  static override summary = "record another person's review of a break-glass promotion";
  static override seeResult = 'lukhas canary list';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    reason: Flags.string({
      description: 'what the review found; recorded in the log',
      helpValue: 'TEXT',
      required: true,
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryReview);
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    const canary = await app.approvals.review(id, app.config.actor, flags.reason);
    if (!this.jsonEnabled()) this.log(`reviewed ${canary.id}`);
    return { ...canaryJson(canary), exit: 0 };
  }
}

import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { canaryJson } from '../../lib/app/index.js';

export default class CanaryReject extends BaseCommand {
  static override summary = 'reject a promotion that is waiting for approval; this is final';
  static override seeResult = 'lukhas canary list';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'the reason; recorded in the log', helpValue: 'TEXT', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryReject);
    const app = await this.app(flags, { mayBeOlder: true });
    const id = await app.canaries.resolve(args.id);
    const canary = await app.approvals.reject(id, app.config.actor, flags.reason);
    if (!this.jsonEnabled()) this.log(`rejected ${canary.id}`);
    return { ...canaryJson(canary), exit: 0 };
  }
}

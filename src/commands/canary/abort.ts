import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { canaryJson } from '../../lib/app/index.js';

export default class CanaryAbort extends BaseCommand {
  static override summary = 'end a canary that has not been decided';
  static override args = {
    id: Args.string({ description: 'canary, or a unique beginning of its id', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'why; kept in the log', helpValue: 'TEXT', required: true }),
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

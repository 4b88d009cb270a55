import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';
import { eligibilityLines } from '../../cli/present-approvals.js';
import { canaryJson } from '../../lib/app/index.js';
import { isOpen } from '../../lib/readings/index.js';

export default class CanaryApprove extends BaseCommand {
  static override summary = 'approve a promotion that its policy wants approved';
  static override description =
    'The last approval that is needed has the promotion carried out: its hooks are called here, unless --detach leaves them to a running `lukhas serve`.';
  static override args = {
    id: Args.string({ description: 'canary, or a unique beginning of its id', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'why; kept in the log', helpValue: 'TEXT', required: true }),
    digest: Flags.string({
      description: 'what `canary status` showed, or its beginning: refuse to approve anything else',
      helpValue: 'HEX',
    }),
    detach: Flags.boolean({ description: 'only record it: a running `lukhas serve` calls the hooks' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryApprove);
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    const canary = await app.approvals.approve(id, app.config.actor, flags.reason, flags.digest);
    if (isOpen(canary) && !flags.detach)
      return finish(this, await followToVerdict(app, id, { quiet: this.jsonEnabled() }), flags['no-color']);
    const outlook = await app.approvals.outlook(id);
    if (!this.jsonEnabled()) this.log([`approved ${id}`, ...(outlook ? eligibilityLines(outlook) : [])].join('\n  '));
    return { ...canaryJson(canary), exit: 0 };
  }
}

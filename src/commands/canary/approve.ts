import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';
import { eligibilityLines, evidenceAge } from '../../cli/present-approvals.js';
import { block } from '../../cli/screen.js';
import { canaryJson } from '../../lib/app/index.js';
import { isOpen } from '../../lib/readings/index.js';

export default class CanaryApprove extends BaseCommand {
  static override summary = 'approve a promotion whose policy requires approval';
  static override seeResult = 'lukhas canary list';
  static override description =
    'The last required approval triggers the promotion: this command calls the hooks, or leaves them to a running `lukhas serve` with --detach.';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'the reason; recorded in the log', helpValue: 'TEXT', required: true }),
    digest: Flags.string({
      description: 'approve only this: the digest that `canary status` shows, or a prefix of it',
      helpValue: 'HEX',
    }),
    detach: Flags.boolean({ description: 'record the approval and return; a running `lukhas serve` calls the hooks' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryApprove);
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    const before = await app.approvals.outlook(id);
    const canary = await app.approvals.approve(id, app.config.actor, flags.reason, flags.digest);
    // On standard error: what follows is the canary's end.
    if (before && isOpen(canary)) this.say(`approved on evidence that was ${evidenceAge(before)}`);
    if (isOpen(canary) && !flags.detach)
      return finish(
        this,
        await followToVerdict(app, id, { quiet: this.jsonEnabled(), noColor: flags['no-color'] }),
        flags['no-color'],
      );
    const outlook = await app.approvals.outlook(id);
    if (!this.jsonEnabled()) {
      const lines = outlook ? eligibilityLines(outlook) : [];
      this.log(block([`approved ${id}`, ...lines.map((line) => `  ${line}`)]));
    }
    return { ...canaryJson(canary), exit: 0 };
  }
}

import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { presentCanary } from '../../cli/present.js';
import { eligibilityLines } from '../../cli/present-approvals.js';
import { canaryJson } from '../../lib/app/index.js';
import { readRecord } from '../../lib/app/watching/index.js';
import { standingOf } from '../../lib/view/index.js';

export default class CanaryStatus extends BaseCommand {
  static override summary = 'show the state of a canary';
  static override description = 'Always exits with 0; "exit" in --json is the exit code of `canary start`.';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryStatus);
    const app = await this.app(flags, { readOnly: true });
    const id = await app.canaries.resolve(args.id);
    const { canary, verdict } = standingOf(await readRecord(app, id))!;
    const outlook = await app.approvals.outlook(id);
    if (!this.jsonEnabled()) {
      const approvals = outlook ? eligibilityLines(outlook) : [];
      this.log(presentCanary({ ...canary, verdict }, flags['no-color'], approvals));
    }
    return { ...canaryJson(canary), verdict, ...(outlook ? { awaiting: outlook } : {}) };
  }
}

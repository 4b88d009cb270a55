import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { jobJson } from '../../lib/jobs/index.js';

export default class JobCancel extends BaseCommand {
  static override summary = 'end a job that waits or runs';
  static override description = 'The process that runs its program stops it, with everything it has started.';
  static override args = {
    id: Args.string({ description: 'job, or a unique beginning of its id', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'why; kept in the log', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobCancel);
    const app = await this.app(flags);
    const job = await app.jobs.cancel(args.id, app.config.actor, flags.reason);
    if (!this.jsonEnabled()) this.log(`cancelled ${job.id}`);
    return { ...jobJson(job), exit: 0 };
  }
}

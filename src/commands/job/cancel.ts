import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { resultSeenWith } from '../../cli/output.js';
import { jobJson } from '../../lib/jobs/index.js';

export default class JobCancel extends BaseCommand {
  static override summary = 'cancel a queued or running job';
  static override seeResult = 'lukhas job list';
  static override description = "Stops the job's program and every process that it started.";
  static override args = {
    id: Args.string({ description: 'job id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    reason: Flags.string({ description: 'the reason; recorded in the log', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobCancel);
    const app = await this.app(flags);
    const job = await app.jobs.cancel(args.id, app.config.actor, flags.reason);
    resultSeenWith(`lukhas job status ${job.id}`);
    if (!this.jsonEnabled()) this.log(`cancelled ${job.id}`);
    return { ...jobJson(job), exit: 0 };
  }
}

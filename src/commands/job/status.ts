import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { exitOfJob, presentJob } from '../../cli/present-job.js';
import { jobJson } from '../../lib/jobs/index.js';

export default class JobStatus extends BaseCommand {
  static override summary = 'show the state and the result of a job';
  static override description = 'Always exits with 0; "exit" in --json is the exit code of `job run`.';
  static override args = {
    id: Args.string({ description: 'job id, or a unique prefix of it', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobStatus);
    const app = await this.app(flags, { readOnly: true });
    const job = await app.jobs.get(args.id);
    if (!this.jsonEnabled()) this.log(presentJob(job, flags['no-color']));
    return { ...jobJson(job), exit: exitOfJob(job) };
  }
}

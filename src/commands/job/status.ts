import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { exitOfJob, presentJob } from '../../cli/present-job.js';
import { jobJson } from '../../lib/jobs/index.js';

export default class JobStatus extends BaseCommand {
  static override summary = 'how a job stands, and what it found';
  static override description =
    'Exit code 0 whatever the state is; --json has the code that `job run` ends with as "exit".';
  static override args = {
    id: Args.string({ description: 'job, or a unique beginning of its id', required: true }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobStatus);
    const app = await this.app(flags, { readOnly: true });
    const job = await app.jobs.get(args.id);
    if (!this.jsonEnabled()) this.log(presentJob(job, flags['no-color']));
    return { ...jobJson(job), exit: exitOfJob(job) };
  }
}

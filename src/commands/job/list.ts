import { Flags } from '@oclif/core';
import { advice } from '../../cli/advice.js';
import { BaseCommand } from '../../cli/base-command.js';
import { table } from '../../cli/table.js';
import { JOB_STATES } from '../../lib/readings/index.js';

export default class JobList extends BaseCommand {
  static override summary = 'list jobs, newest first';
  static override flags = {
    state: Flags.string({ description: 'only this state (may be repeated)', options: JOB_STATES, multiple: true }),
    limit: Flags.integer({ description: 'maximum number of results', default: 50, min: 1, max: 10_000 }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(JobList);
    const app = await this.app(flags, { readOnly: true });
    const { summaries, warning } = await app.jobs.listing({
      limit: flags.limit,
      ...(flags.state ? { states: flags.state } : {}),
    });
    if (warning !== null) this.say(`warning: ${warning}`);
    const jobs = summaries.map(({ subject, state, createdAt, updatedAt, data }) => ({
      jobId: subject,
      status: state,
      createdAt,
      updatedAt,
      ...data,
    }));
    if (!this.jsonEnabled()) {
      const text = (value: unknown) => (typeof value === 'string' ? value : '');
      const rows = summaries.map(({ subject, state, data, updatedAt }) => [
        subject,
        state,
        text(data['taskId']),
        text(data['configId']),
        text(data['reason']),
        updatedAt,
      ]);
      const head = ['JOB', 'STATE', 'TASK', 'FOR', 'REASON', 'UPDATED'];
      this.log(rows.length === 0 ? 'no jobs' : table(head, rows));
    }
    return { jobs, ...(warning === null ? {} : { warning: advice(warning) }) };
  }
}

import { existsSync } from 'node:fs';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { interruptible } from '../../cli/interrupt.js';
import { exitCodeIsOutcome, resultSeenWith } from '../../cli/output.js';
import { exitOfJob, presentJob } from '../../cli/present-job.js';
import type { App } from '../../lib/app/index.js';
import { LukhasError } from '../../lib/errors.js';
import { parseDuration } from '../../lib/input/index.js';
import { JOB_TIME, jobJson } from '../../lib/jobs/index.js';

export default class JobRun extends BaseCommand {
  static override summary = 'run a task and wait for it to finish';
  static override seeResult = 'lukhas job list';
  static override description =
    "Tasks are defined in lukhas.yaml; `probe` is built in. Exit code 0: completed, 5: failed, 8: timed out, 10: cancelled. Here --config is the evaluation's configuration; use --config-file for the configuration file of lukhas.";
  static override examples = [
    '<%= config.bin %> job run probe',
    '<%= config.bin %> job run smoke --config prod@7',
    '<%= config.bin %> job run smoke --detach',
  ];
  static override args = { task: Args.string({ description: 'name of the task', required: true }) };
  // This command's own --config is what the task is run for: scripts call it so.
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    config: Flags.string({
      aliases: ['config-id'],
      description: "the evaluation's configuration, passed to the task",
      helpValue: 'C',
    }),
    'config-file': Flags.string({
      description: 'configuration file (default: lukhas.yaml)',
      helpValue: 'PATH',
      helpGroup: 'GLOBAL',
    }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ default: false, description: 'check that the task could start; run nothing' }),
    detach: Flags.boolean({ description: 'return immediately; a `lukhas serve` on the same database runs it' }),
    timeout: Flags.string({
      description: "stop it after this time, instead of the task's own timeout",
      helpValue: 'TIME',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(JobRun);
    const timeoutSeconds =
      flags.timeout === undefined ? undefined : parseDuration(flags.timeout, '--timeout', JOB_TIME);
    if (flags.config !== undefined && existsSync(flags.config))
      this.say(
        `note: --config is the evaluation's configuration; to use ${flags.config} as the configuration file of lukhas, pass --config-file`,
      );
    const app = await this.app({ ...flags, config: flags['config-file'] });
    const { id } = await app.jobs.start({
      taskId: args.task,
      configId: flags.config ?? null,
      dryRun: flags['dry-run'],
      by: app.config.actor,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    });
    resultSeenWith(`lukhas job status ${id}`);
    if (flags.detach) {
      this.say(`queued ${id}; a \`lukhas serve\` on this database runs it`);
      if (!this.jsonEnabled()) this.log(id);
      return jobJson(await app.jobs.get(id));
    }
    this.say(`queued ${id}: ${args.task}`);
    const interrupted = await this.drive(app, id);
    const job = await app.jobs.get(id);
    const cancelled = job.failure?.reason === 'cancelled';
    exitCodeIsOutcome();
    process.exitCode = cancelled && interrupted !== null ? interrupted : exitOfJob(job);
    if (!this.jsonEnabled()) this.log(presentJob(job, flags['no-color']));
    return { ...jobJson(job), exit: process.exitCode };
  }

  /**
   * Ctrl-C cancels the job: nobody else would go on with it. Where that cannot be recorded, the program is stopped all the same.
   * @returns the exit code then, else null
   */
  private drive(app: App, id: string): Promise<number | null> {
    return interruptible(async (interrupt) => {
      const stop = new AbortController();
      let refused: Error | null = null;
      interrupt.signal.addEventListener('abort', () => {
        app.jobs
          .cancel(id, app.config.actor, `interrupted (${interrupt.by})`)
          .catch(unlessEnded)
          .catch((error: Error) => {
            refused = error;
            stop.abort(interrupt.signal.reason);
          });
      });
      const told = new Set<string>();
      const onError = (_: string | null, { message }: Error): void => {
        // After Ctrl-C what ends the command says it.
        if (interrupt.exit === null && !told.has(message)) this.say(`lukhas: ${message}`);
        told.add(message);
      };
      const runner = app.jobRunner({ onError });
      await runner.drive([id], stop.signal);
      if (refused !== null) throw refused as Error;
      return interrupt.exit;
    });
  }
}

function unlessEnded(error: unknown): void {
  if (!(error instanceof LukhasError) || error.code !== 'ILLEGAL_TRANSITION') throw error;
}

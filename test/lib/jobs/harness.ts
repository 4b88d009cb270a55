import { systemClock } from '../../../src/lib/clock.js';
import { JobRunner, type JobRunnerOptions } from '../../../src/lib/jobs/job-runner.js';
import { Jobs } from '../../../src/lib/jobs/jobs.js';
import type { TaskConfig, TasksConfig } from '../../../src/lib/jobs/task.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import type { Job } from '../../../src/lib/readings/job.js';
import { ACTOR } from '../canary/harness.js';

export const CLOCK = systemClock();

/** A task that runs a piece of JavaScript. */
export function script(code: string, more: Partial<TaskConfig> = {}, ...args: string[]): TaskConfig {
  return program([process.execPath, '-e', code, ...args], more);
}

export function program(command: [string, ...string[]], more: Partial<TaskConfig> = {}): TaskConfig {
  return { command, timeoutSeconds: 20, metrics: 'none', env: {}, ...more };
}

export function runnerOf(ledger: Ledger, tasks: TasksConfig, more: Partial<JobRunnerOptions> = {}): JobRunner {
  const env = { PATH: process.env['PATH'] };
  const follower = new LogFollower(ledger, CLOCK);
  const options = { ledger, follower, clock: CLOCK, tasks, env, concurrency: 2, builtins: {}, graceMs: 200 };
  return new JobRunner({ ...options, ...more });
}

/** Queues one job for each name, runs them all, and gives them as they ended. */
export async function runAll(
  ledger: Ledger,
  tasks: TasksConfig,
  ids: readonly string[] = Object.keys(tasks),
  more: Partial<JobRunnerOptions> = {},
): Promise<Job[]> {
  const jobs = new Jobs(ledger, CLOCK, tasks);
  const queued: Job[] = [];
  for (const taskId of ids) queued.push(await queue(jobs, taskId));
  await runnerOf(ledger, tasks, more).drive(queued.map(({ id }) => id));
  return Promise.all(queued.map(({ id }) => jobs.get(id)));
}

export async function runOne(ledger: Ledger, task: TaskConfig, more?: Partial<JobRunnerOptions>): Promise<Job> {
  const [job] = await runAll(ledger, { task }, ['task'], more);
  return job as Job;
}

export function queue(jobs: Jobs, taskId: string, configId: string | null = null): Promise<Job> {
  return jobs.start({ taskId, configId, dryRun: false, by: ACTOR });
}

/** Whether a process runs; one that has ended and is not yet waited for does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises');
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}

export async function kinds(ledger: Ledger, id: string): Promise<string[]> {
  return (await ledger.events({ subject: id })).map(({ kind }) => kind);
}

import { OutputTail, type ProgramEnd, programEnvironment, runProgram, whyNotStartable } from '../process/index.js';
import type { Job } from '../readings/index.js';
import type { Builtin } from './builtin.js';
import { killMarked } from './orphan.js';
import { failed, type Outcome } from './outcome.js';
import type { TaskConfig } from './task.js';

/** Of what a program writes, the newest that is kept. */
const OUTPUT_BYTES = 8192;

export interface TaskRun {
  job: Job;
  /** Where the program inherits from. */
  env: NodeJS.ProcessEnv;
  /** Ends it: cancelled, or the runner stops. */
  signal: AbortSignal;
  /** Time between SIGTERM and SIGKILL. */
  graceMs: number;
  /** Called once it runs, null for what has no process of its own; awaited before the outcome is given. */
  onRunning: (pid: number | null) => Promise<void>;
}

/** Runs a configured program to its end. Whatever it does is an outcome, never an error. */
export async function runTask(task: TaskConfig, command: readonly string[], run: TaskRun): Promise<Outcome> {
  const { job, signal, graceMs } = run;
  const env = taskEnvironment(task, run);
  if (job.dryRun) return dryRun(command, task, env, run);
  const output = new OutputTail(OUTPUT_BYTES);
  const { LINE_BYTES, readMetricsLine } = await import('./metrics-line.js');
  // Apart from stderr, so that nothing written there pushes the last line out.
  const line = new OutputTail(LINE_BYTES);
  let running: Promise<void> | undefined;
  const end = await runProgram(command, {
    env,
    cwd: task.cwd,
    timeoutSeconds: job.timeoutSeconds,
    signal,
    graceMs,
    stopRest: true,
    onStarted: (pid) => {
      running = run.onRunning(pid);
      // Awaited below; until then a rejection is not unhandled.
      running.catch(() => undefined);
    },
    onOutput: (chunk, stream) => {
      output.add(chunk);
      if (stream === 'stdout') line.add(chunk);
    },
  });
  if (end.timedOut || signal.aborted) await killMarked(job.id);
  await running;
  const { text: tail, truncated } = output.text();
  const known = {
    durationMs: end.durationMs,
    exitCode: end.exitCode,
    output: { bytes: output.bytes, tail, truncated },
  };
  const failure = failureOf(end);
  if (failure) return failed(failure, end.says, known);
  if (task.metrics === 'none') return { kind: 'job.completed', data: { ...known, metrics: null } };
  const read = readMetricsLine(line.end(), line.truncated);
  if ('problem' in read) return failed('metrics', `no metrics: ${read.problem}`, known);
  return { kind: 'job.completed', data: { ...known, metrics: read.metrics } };
}

/** A built-in task; its time limit and cancellation end the waiting, whatever it does. */
export async function runBuiltin(builtin: Builtin, run: TaskRun): Promise<Outcome> {
  const { job, signal } = run;
  await run.onRunning(null);
  const began = performance.now();
  const known = () => ({ durationMs: Math.round(performance.now() - began), exitCode: null, output: null });
  if (job.dryRun) return { kind: 'job.completed', data: { ...known(), metrics: null } };
  const limit = AbortSignal.timeout(job.timeoutSeconds * 1000);
  const either = AbortSignal.any([signal, limit]);
  const stopped = new Promise<null>((resolve) => {
    either.addEventListener('abort', () => resolve(null), { once: true });
    if (either.aborted) resolve(null);
  });
  try {
    const work = builtin({ jobId: job.id, configId: job.configId, signal: either });
    const given = await Promise.race([work, stopped]);
    if (given === null) return failed('timeout', `timed out after ${job.timeoutSeconds} s`, known());
    const { checkMetrics } = await import('./metrics-line.js');
    const checked = checkMetrics(given, 'its result');
    if ('problem' in checked) return failed('metrics', checked.problem, known());
    return { kind: 'job.completed', data: { ...known(), metrics: checked.metrics } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed('exit', message.slice(0, 2000) || 'failed without a message', known());
  }
}

/** Looks whether the program could be started, and starts nothing. */
async function dryRun(
  command: readonly string[],
  task: TaskConfig,
  env: NodeJS.ProcessEnv,
  run: TaskRun,
): Promise<Outcome> {
  const [file = ''] = command;
  const problem = await whyNotStartable(file, task.cwd ?? '.', env);
  if (problem !== null) return failed('start', problem);
  await run.onRunning(null);
  return { kind: 'job.completed', data: { durationMs: 0, exitCode: null, metrics: null, output: null } };
}

function failureOf(end: ProgramEnd): 'timeout' | 'start' | 'exit' | null {
  if (end.timedOut) return 'timeout';
  if (!end.started) return 'start';
  return end.exitCode === 0 ? null : 'exit';
}

function taskEnvironment(task: TaskConfig, { job, env }: TaskRun): NodeJS.ProcessEnv {
  return {
    ...programEnvironment(env, task.passEnv),
    ...task.env,
    LUKHAS_JOB_ID: job.id,
    LUKHAS_TASK_ID: job.taskId,
    LUKHAS_CONFIG_ID: job.configId ?? '',
    LUKHAS_DRY_RUN: String(job.dryRun),
  };
}

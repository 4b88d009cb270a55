import { existsSync } from 'node:fs';
import type { Result } from 'execa';
import { descriptorLimit, waitForDescriptors } from './descriptors.js';
import { stopGroup } from './group.js';
import { noteRunning } from './running.js';

export interface ProgramOptions {
  /** The whole environment of the program. */
  env: NodeJS.ProcessEnv;
  cwd?: string | undefined;
  /** Standard input; none when left out. */
  input?: string;
  /** A file to be standard input. */
  inputFile?: string;
  timeoutSeconds: number;
  signal?: AbortSignal | undefined;
  /** Time between SIGTERM and SIGKILL. */
  graceMs: number;
  /** What it leaves in the background is stopped when it ends. */
  stopRest?: boolean;
  onStarted?: (pid: number) => void;
  onOutput: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
}

export interface ProgramEnd {
  /** Null: a signal ended it, or it was never started. */
  exitCode: number | null;
  started: boolean;
  timedOut: boolean;
  /** Whether all of its standard input was taken; true without any. */
  inputTaken: boolean;
  /** `exit code 3`, `ended by SIGKILL`, `command not found: "x"`, `timed out after 5 s and was stopped`. */
  says: string;
  durationMs: number;
}

/** Time a program that has ended is given to hand over its output; one it left in the background may hold the pipe. */
const DRAIN_MS = 250;
/** Descriptors that starting a program takes: three pipes, and one by which the new process says that it runs. */
const NEEDED = 10;
/** How long a program waits for them. */
const PATIENCE_MS = 10_000;
/** A timer of Node.js that is longer goes off at once. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Runs a program, without a shell, in a process group of its own, and waits for its end. When the time is up or the
 * signal aborts, the whole group gets SIGTERM, then SIGKILL.
 * @throws the signal's reason when it was aborted before the program was started
 */
export async function runProgram(command: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  const { signal, graceMs, timeoutSeconds, cwd } = options;
  const { execa } = await import('execa');
  signal?.throwIfAborted();
  const began = performance.now();
  const [file = '', ...args] = command;
  const enough = await waitForDescriptors(NEEDED, Math.min(PATIENCE_MS, timeoutSeconds * 1000), signal);
  signal?.throwIfAborted();
  if (!enough) return notStarted(file, began);
  const child = execa(file, args, {
    env: options.env,
    extendEnv: false,
    ...inputOf(options),
    detached: true,
    reject: false,
    buffer: false,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const { pid } = child;
  const stopping: Promise<void>[] = [];
  const stop = () => {
    if (pid === undefined || stopping.length > 0) return;
    const stopped = stopGroup(pid, graceMs);
    // Awaited below; until then a rejection is not unhandled.
    stopped.catch(() => undefined);
    stopping.push(stopped);
  };
  child.stdout.on('data', (chunk: Buffer) => options.onOutput(chunk, 'stdout'));
  child.stderr.on('data', (chunk: Buffer) => options.onOutput(chunk, 'stderr'));
  let drain: NodeJS.Timeout | undefined;
  child.nodeChildProcess.once('exit', () => {
    // It has ended in time, whatever it left in the background.
    clearTimeout(timer);
    if (options.stopRest) stop();
    drain = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS);
  });
  let timedOut = false;
  const timer = setTimeout(
    () => {
      timedOut = true;
      stop();
    },
    Math.min(timeoutSeconds * 1000, LONGEST_MS),
  );
  signal?.addEventListener('abort', stop, { once: true });
  const ended = pid === undefined ? () => undefined : noteRunning(pid);
  if (pid !== undefined) options.onStarted?.(pid);
  try {
    const result = await child;
    await Promise.all(stopping);
    return {
      exitCode: result.exitCode ?? null,
      started: pid !== undefined,
      timedOut,
      // Null where it was given none.
      inputTaken: child.stdin?.writableFinished ?? true,
      says: timedOut ? `timed out after ${timeoutSeconds} s and was stopped` : howItEnded(result, file, cwd),
      durationMs: Math.round(performance.now() - began),
    };
  } finally {
    ended();
    clearTimeout(timer);
    clearTimeout(drain);
    signal?.removeEventListener('abort', stop);
  }
}

function inputOf({ input, inputFile }: ProgramOptions) {
  if (inputFile !== undefined) return { inputFile };
  return input === undefined ? { stdin: 'ignore' as const } : { input };
}

function notStarted(file: string, began: number): ProgramEnd {
  const limit = descriptorLimit();
  return {
    exitCode: null,
    started: false,
    timedOut: false,
    inputTaken: false,
    says: `could not start ${JSON.stringify(file)}: no file descriptors left${limit === null ? '' : ` (limit ${limit})`}`,
    durationMs: Math.round(performance.now() - began),
  };
}

function howItEnded(
  result: Pick<Result, 'exitCode' | 'signal' | 'code' | 'originalMessage'>,
  file: string,
  cwd: string | undefined,
): string {
  if (result.exitCode !== undefined) return `exit code ${result.exitCode}`;
  if (result.signal !== undefined) return `ended by ${result.signal}`;
  const shown = JSON.stringify(file);
  if (cwd !== undefined && !existsSync(cwd)) return `no such directory: ${JSON.stringify(cwd)}`;
  if (result.code === 'ENOENT') return `command not found: ${shown}`;
  if (result.code === 'EACCES') return `not allowed to run ${shown} (EACCES): is it executable?`;
  return `could not start ${shown}: ${result.originalMessage ?? result.code ?? 'unknown error'}`;
}

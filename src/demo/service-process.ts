import { type ChildProcess, fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LukhasError } from '../lib/errors.js';
import { readyLineSchema, type ServiceOptions } from './service-options.js';

/** Compiled or, in the tests, as TypeScript: whichever this file is. */
const SCRIPT = fileURLToPath(new URL(`./service${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
const START_TIMEOUT_MS = 20_000;
/** How long a service may take to end after SIGTERM before it is killed. */
const TERM_GRACE_MS = 2_000;
const STDERR_MAX_CHARS = 10_000;
const DETAIL_MAX_CHARS = 300;

export interface ServiceExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServiceProcess {
  pid: number;
  /** Without a slash at the end, e.g. `http://127.0.0.1:40123`. */
  url: string;
  /** Resolves when the process has ended, whatever the reason. */
  exited: Promise<ServiceExit>;
  /** Ends the process and waits until it has; may be called again. */
  stop(): Promise<void>;
}

/**
 * Starts one model service and waits until it is ready for requests. Its environment is empty. It also ends when this
 * process ends, however that happens: its IPC channel closes.
 * @throws LukhasError DEMO when it ends before it is ready or takes too long; the signal's reason when aborted.
 */
export async function startService(options: ServiceOptions, signal?: AbortSignal): Promise<ServiceProcess> {
  signal?.throwIfAborted();
  const child = fork(SCRIPT, [JSON.stringify(options)], { env: {}, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const exited = new Promise<ServiceExit>((resolve) => {
    child.once('exit', (code, exitSignal) => resolve({ code, signal: exitSignal }));
  });
  const stop = (): Promise<void> => stopChild(child, exited);
  try {
    const port = await readyPort(child, options, signal);
    return { pid: child.pid as number, url: `http://127.0.0.1:${port}`, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readyPort(child: ChildProcess, options: ServiceOptions, signal?: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let complaints = '';
    const fail = (what: string, cause?: unknown): void => {
      settle();
      const detail = firstError(complaints);
      reject(
        new LukhasError(
          'DEMO',
          `the demo's service ${options.model} ${what}${detail === '' ? '' : ` (${detail})`}; run the demo again`,
          { cause },
        ),
      );
    };
    const onAbort = (): void => {
      settle();
      reject(signal?.reason);
    };
    // `close`, not `exit`: only then has all of stderr been read.
    const onClose = (code: number | null, by: string | null): void =>
      fail(`ended before it was ready: ${by ?? `exit code ${code}`}`);
    const timer = setTimeout(() => fail(`was not ready after ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.off('close', onClose);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    child.once('close', onClose);
    // Never removed: an `error` event without a listener would end this process.
    child.on('error', (error) => fail('could not be started', error));
    child.stderr?.on('data', (chunk: Buffer) => {
      complaints = (complaints + chunk.toString()).slice(0, STDERR_MAX_CHARS);
    });
    createInterface({ input: child.stdout as Readable }).once('line', (line) => {
      const port = readPort(line);
      settle();
      if (port === null) fail(`printed '${line.slice(0, 200)}' instead of its port`);
      else resolve(port);
    });
  });
}

/** The error's text on one line, without the source position that Node prints before it. */
function firstError(complaints: string): string {
  const from = /^\w*Error\b/m.exec(complaints)?.index ?? 0;
  return complaints.slice(from).trim().replace(/\s+/g, ' ').slice(0, DETAIL_MAX_CHARS);
}

function readPort(line: string): number | null {
  try {
    return readyLineSchema.parse(JSON.parse(line)).port;
  } catch {
    return null;
  }
}

async function stopChild(child: ChildProcess, exited: Promise<ServiceExit>): Promise<void> {
  // Without a pid the process never started, so no `exit` event will come.
  if (child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS);
  await exited;
  clearTimeout(timer);
}

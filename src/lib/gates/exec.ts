import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Result } from 'execa';
import { detailLine, OutputTail } from './detail.js';
import type { ExecHook, HookCall, HookResult } from './hook.js';

interface ExecOptions {
  /** What the program inherits, less the product's own secrets. */
  env: NodeJS.ProcessEnv;
  /** Further names that are not passed on. */
  withhold?: readonly string[];
  signal?: AbortSignal;
  /** Time between SIGTERM and SIGKILL. */
  graceMs?: number;
}

/** Time a program that has ended is given to hand over its output; one it left in the background may hold the pipe. */
const DRAIN_MS = 250;
const POLL_MS = 20;

/** Credentials of the product itself; a hook that needs one names it in its own `env`. */
const OWN_SECRET = /^(LUKHAS|PROM)_.*(BEARER|KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE)/i;

/**
 * Runs a program in a process group of its own and waits for its end. The call is in `LUKHAS_*` variables and, as
 * JSON, on standard input. Exit code 0 is success. On timeout the whole group gets SIGTERM, then SIGKILL.
 * @throws the signal's reason when aborted; the group is stopped first
 */
export async function runExecHook(config: ExecHook, call: HookCall, options: ExecOptions): Promise<HookResult> {
  const { signal, graceMs = 5000 } = options;
  const { command, timeoutSeconds, cwd } = config.exec;
  const { execa } = await import('execa');
  signal?.throwIfAborted();
  const started = performance.now();
  const [file, ...args] = command;
  const child = execa(file, args, {
    env: hookEnvironment(config, call, options),
    extendEnv: false,
    input: `${JSON.stringify(call)}\n`,
    detached: true,
    reject: false,
    buffer: false,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const tail = new OutputTail();
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => tail.add(chunk));
  let drain: NodeJS.Timeout | undefined;
  child.once('exit', () => {
    drain = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, DRAIN_MS);
  });
  const stopping: Promise<void>[] = [];
  let timedOut = false;
  const stop = () => {
    if (child.pid !== undefined && stopping.length === 0) stopping.push(stopGroup(child.pid, graceMs));
  };
  const timer = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeoutSeconds * 1000);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const result = await child;
    await Promise.all(stopping);
    signal?.throwIfAborted();
    const label = timedOut ? `timed out after ${timeoutSeconds} s and was stopped` : describeEnd(result, config);
    return {
      ok: !timedOut && result.exitCode === 0,
      detail: detailLine(label, tail.end()),
      durationMs: Math.round(performance.now() - started),
    };
  } finally {
    clearTimeout(timer);
    clearTimeout(drain);
    signal?.removeEventListener('abort', stop);
  }
}

function describeEnd(
  result: Pick<Result, 'exitCode' | 'signal' | 'code' | 'originalMessage'>,
  { exec }: ExecHook,
): string {
  if (result.exitCode !== undefined) return `exit code ${result.exitCode}`;
  if (result.signal !== undefined) return `ended by ${result.signal}`;
  const file = JSON.stringify(exec.command[0]);
  if (exec.cwd !== undefined && !existsSync(exec.cwd)) return `no such directory: ${JSON.stringify(exec.cwd)}`;
  if (result.code === 'ENOENT') return `command not found: ${file}`;
  if (result.code === 'EACCES') return `not allowed to run ${file} (EACCES): is it executable?`;
  return `could not start ${file}: ${result.originalMessage ?? result.code ?? 'unknown error'}`;
}

function hookEnvironment(config: ExecHook, call: HookCall, options: ExecOptions): NodeJS.ProcessEnv {
  const withheld = new Set(options.withhold);
  const inherited = Object.entries(options.env).filter(([name]) => !OWN_SECRET.test(name) && !withheld.has(name));
  return {
    ...Object.fromEntries(inherited),
    ...config.exec.env,
    LUKHAS_ACTION: call.action,
    LUKHAS_IDEMPOTENCY_KEY: call.key,
    LUKHAS_CANARY_ID: call.canaryId,
    LUKHAS_MODEL_ID: call.modelId,
    LUKHAS_FROM_GATE: call.fromGate,
    LUKHAS_TO_GATE: call.toGate,
    LUKHAS_DECISION: call.decision,
    LUKHAS_REASON: call.reason,
    LUKHAS_CERTAINTY: call.certainty,
    LUKHAS_DECIDED_AT: call.decidedAt,
    LUKHAS_ATTEMPT: String(call.attempt),
  };
}

/** SIGTERM to the group, SIGKILL to whoever is left after the grace. */
async function stopGroup(group: number, graceMs: number): Promise<void> {
  const until = performance.now() + graceMs;
  let alive = signalGroup(group, 'SIGTERM');
  while (alive && performance.now() < until) {
    await wait(POLL_MS);
    alive = signalGroup(group, 0);
  }
  if (alive) signalGroup(group, 'SIGKILL');
}

/** False when the group has no members any more. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    // macOS answers EPERM for a group whose only members are zombies.
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return signal !== 0;
    throw error;
  }
}

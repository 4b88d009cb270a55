import { LukhasError } from '../../errors.js';
import { OutputTail, programEnvironment, runProgram } from '../../process/index.js';
import type { AnchorContext } from './target.js';

const TIMEOUT_SECONDS = 30;
const GRACE_MS = 1_000;
const KEPT_BYTES = 16_384;

export interface ProgramOutcome {
  /** Exit code 0. */
  ok: boolean;
  /** The end of its output, both streams. */
  output: string;
  /** How it ended, in words. */
  says: string;
}

/** How git reaches its remotes, signs, and knows who commits, besides what stands in its own files. */
export const GIT_VARIABLES: readonly string[] = [
  ...['SSH_AUTH_SOCK', 'GIT_SSH', 'GIT_SSH_COMMAND', 'GNUPGHOME', 'GPG_TTY'],
  ...['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM', 'GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'],
  ...['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL', 'EMAIL'],
];

/**
 * Runs a program of the system without a shell and without credentials.
 * @param passEnv variables that it inherits besides the few that all programs do
 * @throws LukhasError ANCHOR_FAILED when it cannot be started
 */
export async function runTool(
  command: readonly string[],
  { env, signal }: AnchorContext,
  passEnv: readonly string[] = [],
): Promise<ProgramOutcome> {
  if (signal?.aborted === true)
    throw new LukhasError('ANCHOR_FAILED', `${command[0]}: not run, because lukhas is stopping`);
  const tail = new OutputTail(KEPT_BYTES);
  const end = await runProgram(command, {
    // Messages are parsed, and nobody can type a passphrase.
    env: { ...programEnvironment(env, passEnv), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' },
    timeoutSeconds: TIMEOUT_SECONDS,
    signal,
    graceMs: GRACE_MS,
    onOutput: (chunk) => tail.add(chunk),
  });
  if (!end.started) throw new LukhasError('ANCHOR_FAILED', `${command[0]}: ${end.says}`);
  return { ok: end.exitCode === 0, output: tail.text().text.trim(), says: end.says };
}

/** The error for a failed program: what was done, how it ended, and its last line. */
export function toolFailed(what: string, { output, says }: ProgramOutcome): LukhasError {
  const last = output.split('\n').findLast((line) => line.trim() !== '');
  return new LukhasError('ANCHOR_FAILED', `${what}: ${says}${last === undefined ? '' : `: ${last.slice(0, 300)}`}`);
}

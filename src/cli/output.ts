import { EXIT, LukhasError } from '../lib/errors.js';
import { tell } from './screen.js';

/**
 * Standard output and standard error that fail: a reader that went away, a full disk. Neither ends what the command does;
 * what was lost on standard output decides about the exit code, where the command has no outcome of its own to tell.
 */

/** As a shell shows it for a program that SIGPIPE ended. */
const READER_GONE = 141;
/** How long a reader of standard error may take nothing before the process ends without it. */
const STUCK_MS = 2_000;
/** Standard streams that are pipes and lost their other end. */
const GONE: readonly (string | undefined)[] = ['EPIPE', 'ECONNRESET', 'ENOTCONN'];

let lost: NodeJS.ErrnoException | null = null;
let outcome = false;
let readerMayLeave = false;
let seenWith: string | null = null;

/** Before anything is written. The `error` listeners of packages, which would throw, are replaced. */
export function guardOutput(): void {
  process.stdout.removeAllListeners('error').on('error', (error) => {
    lost ??= error;
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => undefined);
}

/** The exit code is the answer of this command, e.g. how a canary ended: it stays, whatever becomes of what is printed. */
export function exitCodeIsOutcome(): void {
  outcome = true;
}

/** The command acts, and would act again: a command that shows what it did. The last that is named counts. */
export function resultSeenWith(command: string): void {
  seenWith = command;
}

/** For a protocol: a client that goes away has had all that it wanted. */
export function readerOfOutputMayLeave(): void {
  readerMayLeave = true;
}

/** Why standard output could not be written; null while it could. */
function lostOutput(): LukhasError | null {
  if (lost === null) return null;
  const gone = GONE.includes(lost.code);
  const why = gone ? `its reader went away (${lost.code})` : lost.message;
  return new LukhasError('OUTPUT_LOST', `standard output could not be written: ${why}`, {
    suggestions: [
      seenWith === null
        ? 'What this command printed is incomplete. Free space, or write to another place, and run it again.'
        : `What this command printed is incomplete; run again, it would act again. See the result with: ${seenWith}`,
    ],
    cause: lost,
    ...(gone ? { exit: READER_GONE } : {}),
  });
}

/**
 * Waits until all that was printed has been taken, however slowly, and sets the exit code where it was lost. A standard error that
 * nobody reads does not hold up the end of the process.
 */
export async function settleOutput(): Promise<void> {
  if (lost === null) await allTaken(process.stdout);
  // The error of a write that failed is emitted in the next turn.
  await new Promise((next) => setImmediate(next));
  const error = lostOutput();
  if (error !== null) {
    // Whoever closes a pipe knows that it did; other programs end without a word then.
    if (error.exit !== READER_GONE) tell(`lukhas: ${error.message}\n  ${error.suggestions.join('\n  ')}`);
    const isEnd = readerMayLeave && error.exit === READER_GONE;
    if (!outcome && !isEnd && (process.exitCode ?? EXIT.done) === EXIT.done) process.exitCode = error.exit;
  }
  if (process.stderr.writableLength > 0 && !(await isTaken(process.stderr))) process.exit();
}

/** However long it takes. */
async function allTaken(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()));
}

/** False when a while has passed in which nothing was taken. */
async function isTaken(stream: NodeJS.WriteStream): Promise<boolean> {
  let left = Number.POSITIVE_INFINITY;
  while (stream.writableLength > 0 && stream.writableLength < left && !stream.destroyed) {
    left = stream.writableLength;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, STUCK_MS);
      stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  return stream.writableLength === 0 || stream.destroyed;
}

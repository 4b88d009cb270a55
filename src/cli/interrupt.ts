import { once } from 'node:events';
import { Errors } from '@oclif/core';
import { LukhasError, systemError } from '../lib/errors.js';
import { tell } from './screen.js';

/** Exit codes of what a signal ends, as shells have them: 128 and the number of the signal. */
const EXITS = { SIGINT: 130, SIGTERM: 143 } as const;

/** What asked the command to end before it is done: Ctrl-C, `kill`, or a limit of its own. What comes first counts. */
export class Interrupt {
  readonly #control = new AbortController();
  /** The exit code that it asks for; null while nothing did. */
  exit: number | null = null;
  /** The signal's name; null while nothing asked, and for a limit. */
  by: string | null = null;

  /** Its reason says `interrupted by SIGINT`. */
  get signal(): AbortSignal {
    return this.#control.signal;
  }

  /** Resolves with the exit code when something asks. */
  async asked(): Promise<number> {
    if (this.exit === null) await once(this.signal, 'abort');
    return this.exit as number;
  }

  stop(exit: number, why: string, by: string | null = null): void {
    if (this.exit !== null) return;
    this.exit = exit;
    this.by = by;
    this.#control.abort(new Error(why));
  }
}

/**
 * Does `work`, and tells it when it is to end, so that it ends in order. No handler outlives it. A second signal of the
 * same kind ends the process where it is, as if nobody listened.
 * @throws what `work` throws; after a signal with the exit code of that signal, whatever else failed then
 * @param options.secondExits so does a second signal of the other kind, and both with their exit code
 */
export async function interruptible<T>(
  work: (interrupt: Interrupt) => Promise<T>,
  { secondExits = false } = {},
): Promise<T> {
  const interrupt = new Interrupt();
  const handlers = Object.entries(EXITS).map(([name, exit]) => {
    const handler = (): void => {
      if (secondExits && interrupt.exit !== null) process.exit(exit);
      interrupt.stop(exit, `interrupted by ${name}`, name);
    };
    if (secondExits) process.on(name, handler);
    else process.once(name, handler);
    return [name, handler] as const;
  });
  try {
    return await work(interrupt);
  } catch (error) {
    throw interrupt.by === null ? error : asked(interrupt, error);
  } finally {
    for (const [name, handler] of handlers) process.off(name, handler);
  }
}

/** A full disk does not change why the command ends: somebody pressed Ctrl-C. */
function asked({ exit, signal }: Interrupt, error: unknown): unknown {
  if (exit === null) return error;
  if (error === signal.reason) {
    tell(`lukhas: ${(error as Error).message}`);
    return new Errors.ExitError(exit);
  }
  const known = systemError(error);
  if (!(known instanceof LukhasError)) return error;
  const { code, message, suggestions } = known;
  return new LukhasError(code, message, { suggestions, exit, cause: error });
}

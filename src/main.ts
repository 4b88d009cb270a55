/** What bin/run.js starts: oclif, bundled with the commands. */
import { Errors, flush, run } from '@oclif/core';
import { tell } from './cli/screen.js';
import { EXIT } from './lib/errors.js';

/**
 * Runs the command line. As oclif's own `execute`, except that what ends outside of a command (an unknown topic of the help, a bug) and what
 * Node.js warns of passes the same filter as everything else before it reaches a terminal.
 * @param options.dir URL of a file of the package
 */
export async function execute({ args, dir }: { args?: string[]; dir: string }): Promise<void> {
  tellWarnings();
  process.on('uncaughtException', fail);
  try {
    await run(args ?? process.argv.slice(2), dir);
    await flush();
  } catch (error) {
    fail(error);
  }
}

function fail(thrown: unknown): never {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const known = error instanceof Errors.CLIError;
  if (!(error instanceof Errors.ExitError)) {
    tell(known ? `lukhas: ${error.message}` : `lukhas: internal error: ${error.stack ?? error.message}`);
  }
  process.exit(known ? (error.oclif.exit ?? EXIT.usage) : EXIT.internal);
}

/** In place of the listener of Node.js, which is not there when somebody wants no warnings. */
function tellWarnings(): void {
  if (process.listenerCount('warning') === 0) return;
  process.removeAllListeners('warning');
  process.on('warning', (warning) => tell(`${warning.name}: ${warning.message}`));
}

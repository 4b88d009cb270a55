import { stopPrograms } from '../lib/process/index.js';
import { describe, showError } from './describe-error.js';

/** Programs get this long between SIGTERM and SIGKILL. */
const GRACE_MS = 1_000;

let crashed = false;

/**
 * What no part of the command has handled: said like any other error, programs that run are stopped, and the process ends.
 * Installed once, for the whole process.
 */
export function installLastResort(): void {
  process.on('uncaughtException', (error) => {
    if (crashed) return;
    crashed = true;
    // The exit code of a verdict that is known by now stays.
    const described = describe(error);
    const exit = process.exitCode || described.exit;
    try {
      showError(error, described, process.argv.includes('--json'));
    } finally {
      // What still runs meanwhile must not set another one.
      void stopPrograms(GRACE_MS).finally(() => process.exit(exit));
    }
  });
  // A second Ctrl-C ends the process where it is; nothing that it has started stays behind.
  process.on('exit', () => void stopPrograms(0));
}

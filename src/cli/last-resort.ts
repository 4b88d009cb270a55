import { EXIT } from '../lib/errors.js';
import { stopPrograms } from '../lib/process/index.js';
import { describe, showError } from './describe-error.js';
import { tell } from './screen.js';

/** Programs get this long between SIGTERM and SIGKILL. */
const GRACE_MS = 500;

/**
 * What no part of the command has handled: said like any other error, programs that run are stopped, and the process ends.
 * Installed once, for the whole process.
 */
export function installLastResort(): void {
  process.on('uncaughtException', (error) => {
    // The exit code of a verdict that is known by now stays.
    let exit = process.exitCode || EXIT.internal;
    try {
      const described = describe(error);
      exit = process.exitCode || described.exit;
      showError(error, described, process.argv.includes('--json'));
    } finally {
      // At once: the command must not go on and tell of an end of its own.
      stopPrograms(GRACE_MS);
      process.exit(exit);
    }
  });
  tellWarnings();
  // A second Ctrl-C ends the process where it is; nothing that it has started stays behind.
  process.on('exit', () => stopPrograms(0));
}

/** In place of the listener of Node.js, which is not there when somebody wants no warnings. */
function tellWarnings(): void {
  if (process.listenerCount('warning') === 0) return;
  process.removeAllListeners('warning');
  process.on('warning', (warning) => tell(`${warning.name}: ${warning.message}`));
}

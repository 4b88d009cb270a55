import { fileURLToPath } from 'node:url';
import { Errors, run } from '@oclif/core';
import { describe, showError } from './describe-error.js';
import { installLastResort } from './last-resort.js';
import { guardOutput, settleOutput } from './output.js';

/** Runs one command line with oclif. Sets the exit code, and resolves when everything that was printed has been taken. */
export async function start(dir: string, args: readonly string[]): Promise<void> {
  guardOutput();
  installLastResort();
  try {
    // Plugins that users install for other programs of oclif are none of ours, and their folder may be unreadable.
    await run([...args], { root: fileURLToPath(dir), userPlugins: false });
  } catch (error) {
    if (error instanceof Errors.ExitError) process.exitCode = error.oclif.exit;
    else {
      const described = describe(error);
      process.exitCode = described.exit;
      showError(error, described, args.includes('--json'));
    }
  }
  await settleOutput();
}

import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Node.js starts no thread in a process whose working directory was deleted, as happens to a daemon when a release is
 * replaced: it asks for the directory's path, and fails. Such a process moves to a new and empty folder of its own: for
 * relative paths of hooks and jobs that is what the deleted one was, which the root of the system would not be.
 * @throws Error when no folder can be made for temporary files
 */
export function leaveDeletedDirectory(): void {
  if (isThere()) return;
  const folder = mkdtempSync(join(tmpdir(), 'lukhas-cwd-'));
  process.chdir(folder);
  process.once('exit', () => {
    try {
      rmdirSync(folder);
    } catch {
      // Not empty: a program has written there. Or gone.
    }
  });
}

/** Asks the system: `process.cwd` may answer with what it was before. */
function isThere(): boolean {
  try {
    realpathSync.native('.');
    return true;
  } catch {
    return false;
  }
}

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

/**
 * Looks for a program as execvp(3) does, without running it.
 * @returns why it could not be started, null when it could
 */
export async function whyNotStartable(
  file: string,
  cwd: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string | null> {
  if (!(await isDirectory(cwd))) return `no such directory: ${JSON.stringify(cwd)}`;
  const path = env['PATH'] ?? '/usr/bin:/bin';
  const places = file.includes('/')
    ? [resolve(cwd, file)]
    : path.split(delimiter).map((dir) => resolve(cwd, join(dir, file)));
  let found = false;
  for (const place of places) {
    const state = await lookAt(place);
    if (state === 'program') return null;
    found ||= state === 'file';
  }
  if (found) return `not allowed to run ${JSON.stringify(file)}: is it executable?`;
  return `command not found: ${JSON.stringify(file)}`;
}

async function lookAt(path: string): Promise<'program' | 'file' | 'nothing'> {
  try {
    if (!(await stat(path)).isFile()) return 'file';
  } catch {
    return 'nothing';
  }
  try {
    await access(path, constants.X_OK);
    return 'program';
  } catch {
    return 'file';
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * Looks for a program as execvp(3) does, without running it.
 * @param env of the child: its PATH counts
 * @returns why it could not be started, null when it could
 */
export async function whyNotStartable(
  file: string,
  cwd: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Promise<string | null> {
  if (!(await isDirectory(cwd))) return `no such directory: ${JSON.stringify(cwd)}`;
  const path = env['PATH'] ?? '/usr/bin:/bin';
  const isPath = file.includes('/');
  const places = isPath ? [resolve(cwd, file)] : path.split(delimiter).map((dir) => resolve(cwd, join(dir, file)));
  const shown = isPath && !isAbsolute(file) ? `${JSON.stringify(file)} (${places[0]})` : JSON.stringify(file);
  let found = false;
  for (const place of places) {
    const state = await lookAt(place);
    if (state === 'program') return whyNotInterpreted(place);
    found ||= state === 'file';
  }
  if (found) return `not allowed to run ${shown}: is it executable?`;
  return `command not found: ${shown}`;
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

/** As much of a script's first line as Linux reads. */
const FIRST_LINE = 256;

/** A script whose first line names no program cannot be started, though it is there; nor one with the line ends of Windows. */
async function whyNotInterpreted(path: string): Promise<string | null> {
  const line = await firstLine(path);
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(line)?.[1];
  if (interpreter === undefined || !isAbsolute(interpreter)) return null;
  const state = await lookAt(interpreter.replace(/\r$/, ''));
  if (interpreter.endsWith('\r'))
    return `${JSON.stringify(path)}: its first line ends with a carriage return, as on Windows`;
  if (state === 'program') return null;
  return `${JSON.stringify(path)}: its first line names ${JSON.stringify(interpreter)}, which cannot be run`;
}

/** Empty where it cannot be read: a program may be executable only. */
async function firstLine(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(FIRST_LINE), 0, FIRST_LINE, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

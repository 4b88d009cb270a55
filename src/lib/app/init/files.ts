import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotWrite, LukhasError } from '../../errors.js';
import { createFile, replaceFile } from '../../files/index.js';
import { ownerFor } from '../../process/index.js';

export interface NewFile {
  /** In the folder. */
  name: string;
  text: string;
}

/** Other names of the same configuration: what is written beside them would not be what is read. */
const SAME = ['lukhas.yml', 'lukhas.json'];
/** As a configuration has to be, so that it is read again: nobody but its owner may write to it. */
const MODE = 0o644;

/** Those files that exist already. @throws LukhasError USAGE for another name of the same configuration */
export async function existingFiles(folder: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of [...SAME, ...names]) {
    if (!(await exists(join(folder, name)))) continue;
    if (SAME.includes(name)) throw existing(name, `Remove ${name} first: it configures this folder already.`);
    found.push(name);
  }
  return found;
}

/** @throws LukhasError USAGE for a file that exists already */
export async function refuseExisting(folder: string, names: readonly string[]): Promise<void> {
  const [name] = await existingFiles(folder, names);
  if (name !== undefined)
    throw existing(name, 'Show what would be written with --dry-run, or overwrite it with --force.');
}

function existing(name: string, suggestion: string): LukhasError {
  return new LukhasError('USAGE', `${name}: already exists; nothing was written`, { suggestions: [suggestion] });
}

/**
 * Writes all of them or none: what was there before is put back when a later one cannot be written.
 * @throws LukhasError USAGE, SYSTEM
 */
export async function writeAll(folder: string, files: readonly NewFile[], force: boolean): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  const kind = { mode: MODE, owner: ownerFor(folder) };
  try {
    for (const { name, text } of files) {
      const path = join(folder, name);
      const before = force && (await exists(path)) ? await readFile(path) : null;
      if (before !== null) await replaceFile(path, text, kind);
      else if (!(await createFile(path, text, kind)))
        throw new LukhasError('USAGE', `${name}: already exists; nothing was written`);
      undo.push(() => (before === null ? rm(path, { force: true }) : replaceFile(path, before, kind)));
    }
  } catch (cause) {
    for (const step of undo.reverse()) await step();
    if (cause instanceof LukhasError) throw cause;
    const { code = String(cause) } = cause as NodeJS.ErrnoException;
    throw cannotWrite('USAGE', `${folder}: cannot write here (${code}); nothing was written`, cause);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

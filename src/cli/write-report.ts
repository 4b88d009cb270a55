import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LukhasError } from '../lib/errors.js';
import { partialFile } from '../lib/runtime/partial-file.js';

/**
 * Writes a file whole or not at all: beside its place first, then moved there.
 * @throws LukhasError USAGE that names the flag
 */
export async function writeReport(path: string, text: string, flag: string): Promise<void> {
  const target = resolve(path);
  const beside = partialFile(dirname(target));
  try {
    await writeFile(beside, text, { flag: 'wx' });
    await rename(beside, target);
  } catch (cause) {
    await rm(beside, { force: true });
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const why = { ENOENT: 'there is no such folder', EISDIR: 'it is a folder', EACCES: 'no permission' }[code] ?? code;
    throw new LukhasError('USAGE', `${flag} ${path}: cannot be written (${why})`, { cause });
  }
}

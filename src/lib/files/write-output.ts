import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LukhasError } from '../errors.js';
import { fileError, type Replaceable, refuseToReplace } from './output-file.js';
import { partialFile } from './partial-file.js';

/**
 * Writes a file whole or not at all: beside its place first, then moved there.
 * @param flag that named it
 * @throws LukhasError USAGE
 */
export async function writeOutput(path: string, text: string, flag: string, replaceable: Replaceable): Promise<void> {
  const [target, name] = [resolve(path), `${flag} ${path}`];
  await refuseToReplace(target, name, replaceable);
  const beside = partialFile(dirname(target));
  try {
    await writeFile(beside, text, { flag: 'wx' });
    await rename(beside, target);
  } catch (cause) {
    await rm(beside, { force: true });
    const error = fileError(cause, name);
    if (error instanceof LukhasError) throw error;
    const { code } = cause as NodeJS.ErrnoException;
    throw new LukhasError('USAGE', `${name}: cannot be written (${code ?? String(cause)})`, { cause });
  }
}

import { cannotWrite, LukhasError } from '../../errors.js';

/**
 * Works with files, and says in words what the file system fails with.
 * @param otherwise see `cannotWrite`
 * @throws LukhasError SYSTEM or `otherwise`; whatever else `work` throws
 */
export async function onDisk<T>(
  work: () => Promise<T>,
  otherwise: 'CONFIG' | 'USAGE',
  words: (cause: NodeJS.ErrnoException) => string,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof LukhasError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw cannotWrite(otherwise, words(cause as NodeJS.ErrnoException), cause);
  }
}

/** The same in the folder of the database. */
export function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const words = ({ syscall, code }: NodeJS.ErrnoException) =>
    `${folder}: the folder of the database cannot be used (${syscall}: ${code})`;
  return onDisk(work, 'CONFIG', words);
}

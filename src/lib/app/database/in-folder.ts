import { cannotWrite, LukhasError } from '../../errors.js';

/**
 * Works with files in the folder of the database.
 * @throws LukhasError SYSTEM, CONFIG for what the file system fails with; whatever else `work` throws
 */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (cause instanceof LukhasError || syscall === undefined) throw cause;
    throw cannotWrite('CONFIG', `${folder}: the folder of the database cannot be used (${syscall}: ${code})`, cause);
  }
}

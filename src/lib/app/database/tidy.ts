import { cannotWrite } from '../../errors.js';
import { removeAbandoned } from '../../files/index.js';

/**
 * Removes what killed processes left in the database's folder.
 * @throws LukhasError SYSTEM, CONFIG when the disk fails
 */
export async function tidy(folder: string, now: number): Promise<void> {
  await removeAbandoned(folder, now).catch((cause: NodeJS.ErrnoException) => {
    throw cause.syscall === undefined
      ? cause
      : cannotWrite('CONFIG', `${folder}: the folder of the database cannot be used (${cause.code})`, cause);
  });
}

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LukhasError } from '../../errors.js';
import { createFile } from '../../files/index.js';
import { ownerFor } from '../../process/index.js';

export interface Cosigned {
  /** Counts the checkpoints cosigned of this log, from 1. */
  number: number;
  /** The checkpoint with its cosignature. */
  note: string;
}

/**
 * What a witness has cosigned: for each log a folder, named by the SHA-256 of its origin in hex, with a numbered file for each
 * checkpoint. A number is used once, also across processes: the second writer fails and reads again. So no lock can be left behind
 * by a crash, and two checkpoints can never both follow the same one.
 */
export class WitnessStore {
  constructor(private readonly folder: string) {}

  /** The last cosigned checkpoint; null for a log never seen. @throws LukhasError CONFIG when the files cannot be read */
  async last(origin: string): Promise<Cosigned | null> {
    const folder = this.#folderOf(origin);
    try {
      const number = Math.max(0, ...(await numbers(folder)));
      return number === 0 ? null : { number, note: await readFile(join(folder, String(number)), 'utf8') };
    } catch (cause) {
      throw unusable(folder, cause);
    }
  }

  /**
   * On disk when the promise resolves.
   * @returns false when another process used this number in the meantime
   */
  async append(origin: string, { number, note }: Cosigned): Promise<boolean> {
    const folder = this.#folderOf(origin);
    try {
      return await createFile(join(folder, String(number)), note, { owner: ownerFor(folder) });
    } catch (cause) {
      throw unusable(folder, cause);
    }
  }

  #folderOf(origin: string): string {
    return join(this.folder, createHash('sha256').update(origin).digest('hex'));
  }
}

async function numbers(folder: string): Promise<number[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[1-9][0-9]{0,15}$/.test(name)).map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function unusable(folder: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  return new LukhasError('CONFIG', `${folder}: cannot read or write the witness's records (${code ?? String(cause)})`, {
    cause,
  });
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LukhasError } from '../errors.js';
import { createFile, replaceFile } from './durable-file.js';

/** Copy of the newest, by a name that does not change. */
const NEWEST = 'checkpoint';

/**
 * Every checkpoint that was ever signed, a file each, named by its size: `checkpoints/1234`. Files that an auditor can read
 * without us; none is ever taken away, and of one that is there only the signatures may grow.
 */
export class CheckpointFiles {
  /** @param folder made when the first one is kept */
  constructor(readonly folder: string) {}

  /** Smallest first. @throws LukhasError CONFIG when the folder cannot be read */
  async sizes(): Promise<number[]> {
    try {
      const names = await readdir(this.folder);
      return names
        .filter((name) => /^(0|[1-9][0-9]{0,15})$/.test(name))
        .map(Number)
        .sort((a, b) => a - b);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw unusable(this.folder, cause);
    }
  }

  /** The note; null when none of this size was signed. */
  async read(size: number): Promise<string | null> {
    const path = join(this.folder, String(size));
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw unusable(path, cause);
    }
  }

  /** @returns false when there is one of this size, which is left as it is */
  async add(size: number, note: string): Promise<boolean> {
    return this.#written(async () => {
      const created = await createFile(join(this.folder, String(size)), note);
      if (created) await this.#tellNewest(size, note);
      return created;
    });
  }

  /** Puts the same checkpoint with more signatures in the place of what is there. */
  async replace(size: number, note: string): Promise<void> {
    await this.#written(async () => {
      await replaceFile(join(this.folder, String(size)), note);
      await this.#tellNewest(size, note);
    });
  }

  async #tellNewest(size: number, note: string): Promise<void> {
    if ((await this.sizes()).at(-1) === size) await replaceFile(join(this.folder, NEWEST), note);
  }

  async #written<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      throw cause instanceof LukhasError ? cause : unusable(this.folder, cause);
    }
  }
}

function unusable(path: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  return new LukhasError('CONFIG', `${path}: checkpoints cannot be kept there (${code ?? String(cause)})`, { cause });
}

import { constants } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotWrite, LukhasError } from '../../errors.js';
import { createFile, type FileKind, refuseOpenFolder, replaceFile } from '../../files/index.js';
import { makeFolder, type Owner, openFolder } from '../../process/index.js';
import { refused } from '../formats/index.js';

/** Copy of the newest, by a name that does not change. */
const NEWEST = 'checkpoint';
/** Checkpoints are not secret, but nobody else may write them. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** Enough for thousands of signatures; a longer file is refused. */
const MAX_BYTES = 1 << 20;
/** Does not wait for the other end of a pipe, and does not follow links. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** `refused`: by a witness that has cosigned a different history. The file is kept, but not used. */
type CheckpointStatus = 'kept' | 'refused';

/**
 * Every checkpoint that was ever signed, one file each, named by its size: `checkpoints/1234`, or `checkpoints/1234.refused`. An
 * auditor can read them without lukhas. None is ever removed, and a file only gains signatures.
 */
export class CheckpointFiles {
  /**
   * @param folder created with the first checkpoint
   * @param owner whom the files belong to where root writes them; null: whoever writes
   */
  constructor(
    readonly folder: string,
    readonly owner: Owner | null = null,
  ) {}

  get #kind(): FileKind {
    return { mode: FILE_MODE, owner: this.owner };
  }

  /** Smallest first. @throws LukhasError CONFIG when the folder cannot be read */
  sizes(): Promise<number[]> {
    return this.#list(/^(0|[1-9][0-9]{0,15})$/);
  }

  /** Of those that a witness has refused, smallest first. @throws LukhasError CONFIG when the folder cannot be read */
  refusedSizes(): Promise<number[]> {
    return this.#list(/^(0|[1-9][0-9]{0,15})\.refused$/);
  }

  pathOf(size: number, status: CheckpointStatus = 'kept'): string {
    return join(this.folder, status === 'kept' ? String(size) : `${size}.refused`);
  }

  /**
   * The note; null when none of this size was signed.
   * @throws LukhasError VERIFICATION when it is not a regular file, or too long for a note; CONFIG when it cannot be read
   */
  async read(size: number, status: CheckpointStatus = 'kept'): Promise<string | null> {
    const path = this.pathOf(size, status);
    try {
      return await readNote(path);
    } catch (cause) {
      if (cause instanceof LukhasError) throw cause;
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw unreadable(path, cause);
    }
  }

  /**
   * @returns false when one of this size exists, which is left unchanged
   * @throws LukhasError CONFIG when it cannot be written, or others may write to the folder
   */
  async add(size: number, note: string): Promise<boolean> {
    return this.#written(async () => {
      const created = await createFile(this.pathOf(size), note, this.#kind);
      if (created) await this.#copyNewest(size, note);
      return created;
    });
  }

  /** Replaces the file by the same checkpoint with more signatures. @throws LukhasError CONFIG, as `add` */
  async replace(size: number, note: string): Promise<void> {
    await this.#written(async () => {
      await replaceFile(this.pathOf(size), note, this.#kind);
      await this.#copyNewest(size, note);
    });
  }

  /** Marks it as refused by a witness; the newest is then the one before it. @throws LukhasError CONFIG, as `add` */
  async setAside(size: number): Promise<void> {
    await this.#written(async () => {
      try {
        await rename(this.pathOf(size), this.pathOf(size, 'refused'));
      } catch (error) {
        // Another process has done it already.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
      const before = (await this.sizes()).at(-1);
      const note = before === undefined ? null : await this.read(before);
      if (note === null) await rm(join(this.folder, NEWEST), { force: true });
      else await replaceFile(join(this.folder, NEWEST), note, this.#kind);
    });
  }

  async #list(pattern: RegExp): Promise<number[]> {
    try {
      const names = await readdir(this.folder);
      return names
        .flatMap((name) => pattern.exec(name)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw unreadable(this.folder, cause);
    }
  }

  async #copyNewest(size: number, note: string): Promise<void> {
    if ((await this.sizes()).at(-1) === size) await replaceFile(join(this.folder, NEWEST), note, this.#kind);
  }

  async #written<T>(write: () => Promise<T>): Promise<T> {
    try {
      makeFolder(this.folder, FOLDER_MODE, this.owner);
      // Refuses a link that leads root elsewhere.
      openFolder(this.folder, this.owner).close();
      await refuseOpenFolder(this.folder, 'remove or replace checkpoints');
      return await write();
    } catch (cause) {
      throw cause instanceof LukhasError ? cause : unusable(this.folder, cause);
    }
  }
}

async function readNote(path: string): Promise<string> {
  const file = await open(path, OPEN_FLAGS).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ELOOP' || cause.code === 'ENXIO' ? noNote(path, cause) : cause;
  });
  try {
    const info = await file.stat();
    if (!info.isFile()) throw noNote(path);
    if (info.size > MAX_BYTES) throw refused(`${path}: is too long to be a checkpoint`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

function noNote(path: string, cause?: NodeJS.ErrnoException): LukhasError {
  return refused(`${path}: not a checkpoint file, but a link, folder or pipe`, cause);
}

function unusable(path: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  return cannotWrite('CONFIG', `${path}: checkpoints cannot be written (${code ?? String(cause)})`, cause);
}

function unreadable(path: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  return new LukhasError('CONFIG', `${path}: checkpoints cannot be read (${code ?? String(cause)})`, { cause });
}

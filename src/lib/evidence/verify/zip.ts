import { close, open as openFd, read } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Entry, fromFdPromise, type ZipFile } from 'yauzl';
import { LukhasError } from '../../errors.js';
import { refused } from '../formats/index.js';
import type { PackFiles } from './files.js';
import { checkAttributes } from './zipped/attributes.js';
import { checkLayout } from './zipped/layout.js';
import { memberBytes } from './zipped/member-bytes.js';

/** More policies than any log has. */
const MAX_ENTRIES = 100_000;
const NO_END = /^End of central directory record signature not found/;

/** A pack in a zip. Nothing is unpacked to disk, and no file is held in memory. */
export class ZippedPack implements PackFiles {
  private constructor(
    private readonly zip: ZipFile,
    private readonly fd: number,
    private readonly places: ReadonlyMap<string, { entry: Entry; start: number }>,
    readonly names: readonly string[],
  ) {}

  /**
   * Reads the directory, and compares all that is around the files with it. A zip that two programs could read differently is
   * refused: one that holds anything besides its files, or says anything twice and differently.
   * @throws LukhasError USAGE when the file cannot be opened, or is not a zip; VERIFICATION when it is not in the form
   *   that packs have
   */
  static async open(path: string): Promise<ZippedPack> {
    const fd = await openFile(path);
    const zip = await openZip(path, fd);
    try {
      const directory = Number(zip.readEntryCursor);
      const found: Entry[] = [];
      for await (const entry of zip.eachEntry()) {
        if (found.push(entry) > MAX_ENTRIES) throw refused(`zip: has more than ${MAX_ENTRIES} files`);
      }
      if (zip.comment.length > 0) throw refused('zip: has a comment');
      for (const entry of found) checkAttributes(entry);
      const starts = await checkLayout({ fd, size: zip.fileSize, directory }, found);
      const places = found.map((entry, i) => [entry.fileName, { entry, start: starts[i] as number }] as const);
      return new ZippedPack(
        zip,
        fd,
        new Map(places),
        found.map(({ fileName }) => fileName),
      );
    } catch (error) {
      zip.close();
      throw asRefused(error, 'zip');
    }
  }

  async *read(name: string): AsyncGenerator<Buffer> {
    const place = this.places.get(name);
    if (place === undefined) throw refused(`${name}: is missing`);
    try {
      yield* memberBytes(this.fd, place.entry, place.start);
    } catch (error) {
      throw asRefused(error, name);
    }
  }

  close(): void {
    this.zip.close();
  }
}

async function openFile(path: string): Promise<number> {
  await refuseNoFile(path);
  try {
    return await promisify(openFd)(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Closing the zip closes the file. */
async function openZip(path: string, fd: number): Promise<ZipFile> {
  try {
    return await fromFdPromise(fd, { autoClose: false, strictFileNames: true });
  } catch (error) {
    const begins = await beginsAsZip(fd);
    await promisify(close)(fd);
    if (NO_END.test((error as Error).message) && !begins) {
      throw new LukhasError('USAGE', `${path}: not an evidence pack (.zip) or a proof of one entry (.tlog-proof)`);
    }
    throw asRefused(error, 'zip');
  }
}

async function beginsAsZip(fd: number): Promise<boolean> {
  const { buffer } = await promisify(read)(fd, Buffer.alloc(2), 0, 2, 0);
  return buffer.toString('latin1') === 'PK';
}

/** Before opening: opening a pipe would wait for its other end. */
async function refuseNoFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw new LukhasError('USAGE', `${path}: is not a file`);
}

function unreadable(path: string, cause: unknown): LukhasError {
  const { code } = cause as NodeJS.ErrnoException;
  return new LukhasError('USAGE', `${path}: ${code === 'ENOENT' ? 'file not found' : `cannot be read (${code})`}`, {
    cause,
  });
}

/** Errors of the zip library, and what they mean for a pack. */
const SAYS: readonly (readonly [RegExp, string])[] = [
  [NO_END, 'is cut off: its end is missing'],
  [/unexpected EOF|overflows file bounds/, 'is cut off, or has wrong file positions'],
  [/^Invalid comment length/, 'has data after its end'],
  [/^multi-disk/, 'is one part of several'],
  [/encrypt/, 'is encrypted'],
  [/^(invalid relative path|absolute path|invalid characters in fileName)/, 'has a name that points outside the pack'],
  [/size mismatch/, 'does not have the size it states'],
];

function asRefused(error: unknown, what: string): LukhasError {
  if (error instanceof LukhasError) return error;
  const { message, code = '' } = error as NodeJS.ErrnoException;
  const known = SAYS.find(([pattern]) => pattern.test(message))?.[1];
  // Codes of the operating system; those of zlib (Z_DATA_ERROR and others) are about the data.
  const system = /^E[A-Z]+$/.test(code) ? `cannot be read (${code})` : null;
  return refused(`${what}: ${known ?? system ?? 'is damaged'}`, error);
}

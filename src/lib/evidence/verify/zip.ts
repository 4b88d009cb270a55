import { open, stat } from 'node:fs/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { LukhasError } from '../../errors.js';
import { refused } from '../formats/index.js';
import type { PackFiles } from './files.js';

/** More policies than any log has. */
const MAX_ENTRIES = 100_000;
const MAX_NAME = 200;
const STORED = 0;
const DEFLATED = 8;
/** The only extra field that packs use: sizes beyond 4 GiB. */
const ZIP64 = 1;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
/** Bytes of a zip's end without a comment: its record alone, or with the two of zip64 before it. */
const END_SIZES = [22, 22 + 20 + 56];
const NO_END = /^End of central directory record signature not found/;

/** A pack in a zip. Nothing is unpacked to disk, and no file is held in memory. */
export class ZippedPack implements PackFiles {
  private constructor(
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    readonly names: readonly string[],
  ) {}

  /**
   * Reads the directory. A zip whose parts contradict each other is refused, because programs would read different things
   * from it.
   * @throws LukhasError USAGE when the file cannot be opened, or is not a zip; VERIFICATION when it is not in the form
   *   that packs have
   */
  static async open(path: string): Promise<ZippedPack> {
    const zip = await openZip(path);
    try {
      const found: Entry[] = [];
      for await (const entry of zip.eachEntry()) {
        if (found.push(entry) > MAX_ENTRIES) throw refused(`zip: has more than ${MAX_ENTRIES} files`);
      }
      if (zip.comment.length > 0) throw refused('zip: has a comment');
      if (!END_SIZES.includes(zip.fileSize - Number(zip.readEntryCursor))) {
        throw refused('zip: its directory is not directly before its end');
      }
      for (const entry of found) checkEntry(entry);
      await checkPlaces(zip, found);
      const names = found.map(({ fileName }) => fileName);
      return new ZippedPack(zip, new Map(found.map((entry) => [entry.fileName, entry])), names);
    } catch (error) {
      zip.close();
      throw asRefused(error, 'zip');
    }
  }

  async *read(name: string): AsyncGenerator<Buffer> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw refused(`${name}: is missing`);
    try {
      const stream = await this.zip.openReadStreamPromise(entry);
      for await (const chunk of stream) yield chunk as Buffer;
    } catch (error) {
      throw asRefused(error, name);
    }
  }

  close(): void {
    this.zip.close();
  }
}

async function openZip(path: string): Promise<ZipFile> {
  await refuseNoFile(path);
  try {
    return await openPromise(path, { autoClose: false, strictFileNames: true });
  } catch (error) {
    if (NO_END.test((error as Error).message) && !(await beginsAsZip(path))) {
      throw new LukhasError('USAGE', `${path}: not an evidence pack (.zip) or a proof of one entry (.tlog-proof)`);
    }
    throw asRefused(error, 'zip');
  }
}

async function beginsAsZip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1') === 'PK';
  } finally {
    await file.close();
  }
}

/** Before opening: opening a pipe would wait for its other end. */
async function refuseNoFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new LukhasError('USAGE', `${path}: ${code === 'ENOENT' ? 'file not found' : `cannot be read (${code})`}`, {
      cause,
    });
  }
  throw new LukhasError('USAGE', `${path}: is not a file`);
}

function checkEntry(entry: Entry): void {
  const { fileName: name, compressionMethod, externalFileAttributes, extraFields } = entry;
  if (name.length > MAX_NAME) throw refused('zip: has a name that is too long');
  if (!entry.fileNameRaw.equals(Buffer.from(name)))
    throw refused(`zip: the name ${JSON.stringify(name)} can be read in two ways`);
  if (extraFields.some(({ id }) => id !== ZIP64)) throw refused(`zip: ${name} has fields that packs do not have`);
  if (entry.isEncrypted()) throw refused(`zip: ${name} is encrypted`);
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    throw refused(`zip: ${name} uses a compression that packs do not use`);
  }
  const type = (externalFileAttributes >>> 16) & FILE_TYPE;
  if (type !== 0 && type !== REGULAR) throw refused(`zip: ${name} is not a regular file`);
}

/** Each file's own header must repeat the directory's name, and no byte may belong to two files. */
async function checkPlaces(zip: ZipFile, entries: readonly Entry[]): Promise<void> {
  const inOrder = entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
  let end = 0;
  for (const entry of inOrder) {
    const header = await zip.readLocalFileHeaderPromise(entry);
    if (!header.fileName.equals(entry.fileNameRaw)) throw refused(`zip: ${entry.fileName} has two names`);
    if (header.compressionMethod !== entry.compressionMethod)
      throw refused(`zip: ${entry.fileName} has two compression methods`);
    if (entry.relativeOffsetOfLocalHeader < end) throw refused(`zip: ${entry.fileName} overlaps another file`);
    end = header.fileDataStart + entry.compressedSize;
  }
}

/** Errors of the zip library, and what they mean for a pack. */
const SAYS: readonly (readonly [RegExp, string])[] = [
  [NO_END, 'is cut off: its end is missing'],
  [/unexpected EOF|overflows file bounds/, 'is cut off, or has wrong file positions'],
  [/^Invalid comment length/, 'has data after its end'],
  [/^multi-disk/, 'is one part of several'],
  [/encrypt/, 'is encrypted'],
  [/^(invalid relative path|absolute path|invalid characters in fileName)/, 'has a name that points outside the pack'],
  [/^(too many|not enough) bytes|size mismatch/, 'does not have the size it states'],
];

function asRefused(error: unknown, what: string): LukhasError {
  if (error instanceof LukhasError) return error;
  const { message, code = '' } = error as NodeJS.ErrnoException;
  const known = SAYS.find(([pattern]) => pattern.test(message))?.[1];
  // Codes of the operating system; those of zlib (Z_DATA_ERROR and others) are about the data.
  const system = /^E[A-Z]+$/.test(code) ? `cannot be read (${code})` : null;
  return refused(`${what}: ${known ?? system ?? 'is damaged'}`, error);
}

/**
 * The bytes around the data in the zip of a pack: header and descriptor of a file, its record in the directory, and the
 * end (APPNOTE 6.3.10, 4.3). Written again from what the directory says, and compared with the file: then nothing in it can
 * be read in a second way. Packs have the form that their writer gives them, and that of `zip -X -D`.
 */

/** What the directory says of a file. */
export interface Member {
  readonly fileName: string;
  readonly fileNameRaw: Buffer;
  readonly versionMadeBy: number;
  readonly versionNeededToExtract: number;
  readonly generalPurposeBitFlag: number;
  readonly compressionMethod: number;
  readonly lastModFileTime: number;
  readonly lastModFileDate: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly internalFileAttributes: number;
  readonly externalFileAttributes: number;
  readonly relativeOffsetOfLocalHeader: number;
}

export const STORED = 0;
export const DEFLATED = 8;
/** The sizes follow the data, because they were not known before. */
export const DESCRIBED = 0x0008;
export const VERSION_ZIP64 = 45;
/** That a file with sizes after it is of version 2.0; its header is written before it is known to be longer than 4 GiB. */
const VERSION_DESCRIBED = 20;
const MOST_32 = 0xffff_ffff;
const MOST_16 = 0xffff;

/** Fields of a local header: what there are two of when it differs from the directory, place, length. */
export const HEADER_FIELDS = [
  ['signature', 0, 4],
  ['versions', 4, 2],
  ['sets of flags', 6, 2],
  ['compression methods', 8, 2],
  ['times', 10, 4],
  ['CRCs', 14, 4],
  ['compressed sizes', 18, 4],
  ['sizes', 22, 4],
  ['names', 26, 2],
  ['sets of extra fields', 28, 2],
] as const;

export function isDescribed({ generalPurposeBitFlag }: Member): boolean {
  return (generalPurposeBitFlag & DESCRIBED) !== 0;
}

/** Whether the directory needs 64 bits for a size or place of this file. */
export function isZip64(member: Member): boolean {
  return isLong(member) || member.relativeOffsetOfLocalHeader > MOST_32;
}

/** Length of the extra fields of this file's record. */
export function extraLength(member: Member): number {
  return isZip64(member) ? 28 : 0;
}

export function localHeader(member: Member): Buffer {
  const { fileNameRaw: name } = member;
  const described = isDescribed(member);
  const version = isZip64(member) ? VERSION_DESCRIBED : member.versionNeededToExtract;
  return Buffer.concat([
    Buffer.from('PK\x03\x04', 'latin1'),
    u16(version, member.generalPurposeBitFlag, member.compressionMethod),
    u16(member.lastModFileTime, member.lastModFileDate),
    described ? u32(0, 0, 0) : u32(member.crc32, member.compressedSize, member.uncompressedSize),
    u16(name.length, 0),
    name,
  ]);
}

/** What follows the data; empty where the header before it has the sizes. */
export function descriptor(member: Member): Buffer {
  if (!isDescribed(member)) return Buffer.alloc(0);
  const { crc32, compressedSize, uncompressedSize } = member;
  const sizes = isLong(member) ? u64(compressedSize, uncompressedSize) : u32(compressedSize, uncompressedSize);
  return Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), u32(crc32), sizes]);
}

export function directoryRecord(member: Member): Buffer {
  const { fileNameRaw: name, compressedSize, uncompressedSize, relativeOffsetOfLocalHeader: start } = member;
  const long = isZip64(member);
  return Buffer.concat([
    Buffer.from('PK\x01\x02', 'latin1'),
    u16(member.versionMadeBy, member.versionNeededToExtract, member.generalPurposeBitFlag, member.compressionMethod),
    u16(member.lastModFileTime, member.lastModFileDate),
    u32(member.crc32, ...(long ? [MOST_32, MOST_32] : [compressedSize, uncompressedSize])),
    u16(name.length, extraLength(member), 0, 0, member.internalFileAttributes),
    u32(member.externalFileAttributes, long ? MOST_32 : start),
    name,
    ...(long ? [u16(1, 24), u64(uncompressedSize, compressedSize, start)] : []),
  ]);
}

/** @param start of the directory @param size of it, in bytes */
export function endOfZip(files: number, start: number, size: number): Buffer {
  const long = files > MOST_16 || start > MOST_32 || size > MOST_32;
  const plain = (count: number, ...place: [number, number]) =>
    Buffer.concat([Buffer.from('PK\x05\x06\0\0\0\0', 'latin1'), u16(count, count), u32(...place), u16(0)]);
  if (!long) return plain(files, size, start);
  return Buffer.concat([
    Buffer.from('PK\x06\x06', 'latin1'),
    u64(44),
    u16(VERSION_ZIP64, VERSION_ZIP64),
    u32(0, 0),
    u64(files, files, size, start),
    Buffer.from('PK\x06\x07', 'latin1'),
    u32(0),
    u64(start + size),
    u32(1),
    plain(MOST_16, MOST_32, MOST_32),
  ]);
}

function isLong({ compressedSize, uncompressedSize }: Member): boolean {
  return compressedSize > MOST_32 || uncompressedSize > MOST_32;
}

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16LE(value, 2 * i);
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}

function u64(...values: number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * i);
  return bytes;
}

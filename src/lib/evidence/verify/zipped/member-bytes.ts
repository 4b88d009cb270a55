import { read } from 'node:fs';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { crc32, createInflateRaw } from 'node:zlib';
import { refused } from '../../formats/index.js';
import { type Member, STORED } from './records.js';

const readAt = promisify(read);
const CHUNK = 64 * 1024;

/**
 * The bytes of a file. Its size and CRC are those of the directory, and its compressed data ends where the directory says: a
 * reader that follows the data, and one that follows the directory, end at the same place.
 * @param start of its data
 * @throws LukhasError VERIFICATION where not; errors of zlib when it cannot be unpacked; those of reading
 */
export async function* memberBytes(fd: number, member: Member, start: number): AsyncGenerator<Buffer> {
  const { fileName, compressionMethod, compressedSize, uncompressedSize } = member;
  let [size, crc] = [0, 0];
  const stored = compressionMethod === STORED;
  const chunks = stored ? raw(fd, start, compressedSize) : inflated(fd, member, start);
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > uncompressedSize) break;
    crc = crc32(chunk, crc);
    yield chunk;
  }
  if (size !== uncompressedSize) throw refused(`${fileName}: does not have the size it states`);
  if (crc !== member.crc32) throw refused(`${fileName}: does not have the CRC it states`);
}

async function* inflated(fd: number, { fileName, compressedSize }: Member, start: number): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: CHUNK });
  // Its errors are those of the generator: the pipeline destroys `inflate` with them.
  pipeline(raw(fd, start, compressedSize), inflate, () => undefined);
  for await (const chunk of inflate) yield chunk as Buffer;
  if (inflate.bytesWritten !== compressedSize) throw refused(`${fileName}: has data after its compressed end`);
}

async function* raw(fd: number, start: number, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; ) {
    const most = Math.min(CHUNK, length - at);
    const { buffer, bytesRead } = await readAt(fd, Buffer.allocUnsafe(most), 0, most, start + at);
    // The file became shorter; the size will not match.
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

import { read } from 'node:fs';
import { promisify } from 'node:util';
import { refused } from '../../formats/index.js';
import { descriptor, directoryRecord, endOfZip, HEADER_FIELDS, localHeader, type Member } from './records.js';

const readAt = promisify(read);
/** Bytes of the directory compared at a time. */
const BATCH = 64 * 1024;

/**
 * Requires that the zip is its files one after another from the first byte, each with the header and the descriptor that the directory
 * implies, then the directory in the same order, then the end: not a byte more. So whoever reads from the front, as a stream, reads the
 * files that the directory names. What is between header and descriptor is checked where it is read (`memberBytes`).
 * @param directory where the end says that it begins
 * @returns where the data of each file begins
 * @throws LukhasError VERIFICATION: what is at another place, or says something else
 */
export async function checkLayout(
  zip: { fd: number; size: number; directory: number },
  members: readonly Member[],
): Promise<number[]> {
  const starts: number[] = [];
  let at = 0;
  for (const member of members) {
    const start = member.relativeOffsetOfLocalHeader;
    if (start < at) throw refused(`zip: ${member.fileName} overlaps another file, or is not in the directory's order`);
    if (start > at) throw refused(`zip: has bytes before ${member.fileName} that belong to no file`);
    const header = localHeader(member);
    const found = await bytesAt(zip.fd, at, header.length);
    if (!found.equals(header)) throw refused(`zip: ${member.fileName} ${difference(header, found)}`);
    at += header.length;
    starts.push(at);
    at += member.compressedSize;
    const after = descriptor(member);
    if (after.length > 0 && !(await bytesAt(zip.fd, at, after.length)).equals(after)) {
      throw refused(`zip: the CRC and sizes after ${member.fileName} are not those of the directory`);
    }
    at += after.length;
  }
  if (zip.directory < at) throw refused('zip: its directory overlaps a file');
  if (zip.directory > at) throw refused('zip: has bytes before its directory that belong to no file');
  await checkDirectory(zip, members);
  return starts;
}

async function checkDirectory(
  { fd, size, directory }: { fd: number; size: number; directory: number },
  members: readonly Member[],
): Promise<void> {
  let [at, batch, length] = [directory, [] as Buffer[], 0];
  const compare = async () => {
    const expected = Buffer.concat(batch);
    if (!(await bytesAt(fd, at, expected.length)).equals(expected)) {
      throw refused('zip: its directory has values that packs do not have');
    }
    [at, batch, length] = [at + length, [], 0];
  };
  for (const member of members) {
    const record = directoryRecord(member);
    length += record.length;
    if (batch.push(record) && length >= BATCH) await compare();
  }
  await compare();
  const end = endOfZip(members.length, directory, at - directory);
  if (at + end.length !== size) throw refused('zip: its directory is not directly before its end');
  if (!(await bytesAt(fd, at, end.length)).equals(end)) throw refused('zip: its end does not match its directory');
}

/** What differs first, in words. */
function difference(header: Buffer, found: Buffer): string {
  const differs = HEADER_FIELDS.find(([, at, length]) => !isSame(header, found, at, at + length));
  const [what] = differs ?? ['names'];
  return what === 'signature' ? 'is not where the directory says' : `has two ${what}`;
}

function isSame(a: Buffer, b: Buffer, from: number, to: number): boolean {
  return a.subarray(from, to).equals(b.subarray(from, to));
}

/** Fewer where the file ends. */
async function bytesAt(fd: number, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await readAt(fd, Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

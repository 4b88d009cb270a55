import { createReadStream } from 'node:fs';

/** Bytes of the largest file of settings, keys or checkpoints that is read. */
export const MOST_SETTINGS = 1024 * 1024;

/**
 * Reads a file, a pipe or a device, which has no size that could be checked first.
 * @returns null when there are more than `limit` bytes
 * @throws the error of the file system
 */
export async function readLimited(path: string, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of createReadStream(path, { end: limit }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
  }
  return size <= limit ? Buffer.concat(chunks) : null;
}

import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** The three ways in which a body may end (RFC 9112, section 6.3); the third is the end of the connection, whatever ended it. */
export function isDelimited({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || /chunked/i.test(headers['transfer-encoding'] ?? '');
}

/** Codings are named in any case, and `x-gzip` is `gzip` (RFC 9110, section 8.4.1). */
export function encodingOf({ headers }: IncomingMessage): string {
  const codings = (headers['content-encoding'] ?? '').toLowerCase().split(',');
  const all = codings.map((coding) => coding.trim().replace(/^x-gzip$/, 'gzip'));
  return all.filter((coding) => coding !== '' && coding !== 'identity').join(', ') || 'identity';
}

/** @returns the body, or in words why it was not read. */
export async function readBody(
  response: IncomingMessage,
  encoding: string,
  limit: number,
  advice = 'expose fewer series there, or read them through Prometheus',
): Promise<Buffer | string> {
  const tooLarge = `the answer is larger than ${limit / 1024 / 1024} MiB: ${advice}`;
  if (Number(response.headers['content-length'] ?? 0) > limit) {
    response.destroy();
    return tooLarge;
  }
  if (encoding !== 'gzip' && encoding !== 'identity') {
    response.destroy();
    return `the answer is encoded as ${encoding}, asked for was gzip`;
  }
  const bytes = await (encoding === 'gzip' ? unpacked(response, limit) : whole(response, limit));
  return bytes ?? tooLarge;
}

/** @returns null for more than the limit, as below. */
async function unpacked(response: IncomingMessage, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limit) throw new RangeError('too large');
      chunks.push(chunk);
    }
  };
  try {
    await pipeline(response, createGunzip(), collect);
  } catch (error) {
    if (size > limit) return null;
    throw error;
  }
  return Buffer.concat(chunks);
}

/** By its events: an answer mostly comes in one or two pieces, and an iterator costs more than they do. */
function whole(response: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= limit) return;
        resolve(null);
        response.destroy();
      })
      .on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
      .on('error', reject)
      // Whatever ended it: one that has ended or failed is settled by now, and the trace of an error costs.
      .on('close', () => {
        if (!response.readableEnded) reject(Object.assign(new Error('the answer was cut off'), { code: 'ECONNRESET' }));
      });
  });
}

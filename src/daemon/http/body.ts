import type { IncomingMessage } from 'node:http';
import { HttpError } from './route.js';

/**
 * Reads a request's body of at most `limit` bytes.
 * @param keep called with the length of each part before it is kept; can throw
 * @throws HttpError 413 when it is longer; 400 when the client disconnected before its end; what `keep` throws
 */
export function readBody(request: IncomingMessage, limit: number, keep: (bytes: number) => void): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLong(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (act: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      act();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      try {
        if (bytes > limit) throw tooLong(limit);
        keep(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onGone = (): void =>
      settle(() => reject(new HttpError(400, 'the connection closed before the end of the body')));
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function tooLong(limit: number): HttpError {
  return new HttpError(413, `the body is longer than ${limit} bytes`);
}

import type { IncomingMessage } from 'node:http';
import { HttpError } from './route.js';

/**
 * Reads a request's body of at most `limit` bytes.
 * @throws HttpError 413 when it is longer; 400 when the client disconnected before its end
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
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
      if (bytes > limit) settle(() => reject(tooLong(limit)));
      else chunks.push(chunk);
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

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '../http/index.js';

/** Credentials have been checked by now, and tools must not see them. */
const WITHHELD = new Set(['authorization', 'x-api-key', 'cookie']);

/** As a web Request, without its body, which has been read. */
export function webRequest(request: IncomingMessage, { url, signal }: RequestContext): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || WITHHELD.has(name)) continue;
    headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return new Request(url, { method: request.method ?? 'POST', headers, signal });
}

/** Writes a web Response; streams as fast as the client reads. */
export async function writeWeb(from: Response, to: ServerResponse, signal: AbortSignal): Promise<void> {
  const headers = Object.fromEntries([...from.headers].filter(([name]) => name !== 'connection'));
  to.writeHead(from.status, { 'Cache-Control': 'no-store', ...headers });
  if (from.body === null) {
    to.end();
    return;
  }
  to.flushHeaders();
  const reader = from.body.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  to.once('close', cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || to.destroyed) break;
      if (!to.write(value)) await once(to, 'drain', { signal });
    }
    to.end();
  } catch (error) {
    if (!signal.aborted && !to.destroyed) throw error;
  } finally {
    to.off('close', cancel);
  }
}

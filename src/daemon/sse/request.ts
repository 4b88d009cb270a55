import type { IncomingMessage, ServerResponse } from 'node:http';
import { type EventId, parseEventId } from '../../lib/stream/index.js';
import { HttpError } from '../http/index.js';
import { parseTopics } from './topics.js';

export interface StreamRequest {
  topics: string[];
  /** The last event that the client has; null when it sent none. */
  after: EventId | null;
}

/**
 * Reads a request for a stream. Last-Event-ID wins over the parameter, because a reconnecting browser repeats its first URL.
 * @throws HttpError 400
 */
export function parseStreamRequest(request: IncomingMessage, url: URL): StreamRequest {
  const topics = parseTopics(url.searchParams.getAll('topic'));
  const header = request.headers['last-event-id'];
  const text = (typeof header === 'string' && header !== '' ? header : url.searchParams.get('lastEventId')) ?? '';
  if (text === '') return { topics, after: null };
  const after = parseEventId(text);
  if (after !== null) return { topics, after };
  const shown = JSON.stringify(text.slice(0, 40));
  throw new HttpError(
    400,
    `Last-Event-ID ${shown} is not a valid id, e.g. 120.4017.9f86d081; leave it out to start from now`,
  );
}

/** Neither a length nor chunks, so that the bytes are the same for all clients; the body ends with the connection. */
export function writeStreamHead(response: ServerResponse): void {
  response.removeHeader('Transfer-Encoding');
  response.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    Connection: 'close',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './route.js';

const METHODS = 'GET, HEAD, POST, DELETE';
/** Headers that a page may send besides the standard ones. */
const HEADERS = [
  'Authorization',
  'X-API-Key',
  'Content-Type',
  'Last-Event-ID',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
].join(', ');
const PREFLIGHT_SECONDS = 600;

/**
 * Accepts the server's own origin, allowed origins, and requests without Origin (programs send none).
 * @returns the origin when it is an allowed foreign one, which needs CORS headers; else null
 * @throws HttpError 403
 */
export function checkOrigin(request: IncomingMessage, url: URL, allowed: readonly string[]): string | null {
  const { origin } = request.headers;
  if (origin === undefined) return null;
  if (allowed.includes(origin)) return origin;
  if (isSame(origin, url)) return null;
  throw new HttpError(403, 'this origin is not allowed; add it to serve.allowedOrigins');
}

/** Ignores the scheme: a proxy in front may use TLS. */
function isSame(origin: string, url: URL): boolean {
  const [, scheme] = /^(https?):\/\/[^/?#]+$/.exec(origin) ?? [];
  if (scheme === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === new URL(`${scheme}://${url.host}`).host;
}

/** Lets pages of another origin read the answer (Fetch standard, CORS protocol). */
export function setCorsHeaders(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', 'Mcp-Session-Id, MCP-Protocol-Version');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('Vary', 'Origin');
}

/** Answers a CORS preflight request, which has no key. @returns whether it was one */
export function preflight(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  response.writeHead(204, {
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': HEADERS,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
  });
  response.end();
  return true;
}

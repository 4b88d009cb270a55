import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './route.js';

const METHODS = 'GET, HEAD, POST, DELETE';
/** What a page may send besides what every page may. */
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
 * A page's own origin, or one that is allowed. Programs send no Origin, and pass.
 * @returns the origin when it is another one that is allowed: its pages must be told so
 * @throws HttpError 403
 */
export function checkOrigin(request: IncomingMessage, url: URL, allowed: readonly string[]): string | null {
  const { origin } = request.headers;
  if (origin === undefined) return null;
  if (allowed.includes(origin)) return origin;
  if (isSame(origin, url)) return null;
  throw new HttpError(403, 'pages of this origin may not use this server; serve.allowedOrigins names those that may');
}

/** The scheme does not count: a proxy in front may speak TLS. */
function isSame(origin: string, url: URL): boolean {
  const [, scheme] = /^(https?):\/\/[^/?#]+$/.exec(origin) ?? [];
  if (scheme === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === new URL(`${scheme}://${url.host}`).host;
}

/** Lets pages of another origin read the answer (Fetch standard, CORS protocol). */
export function tellOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', 'Mcp-Session-Id, MCP-Protocol-Version');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('Vary', 'Origin');
}

/** Answers what browsers ask before such a request; it carries no key. @returns whether it was that */
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

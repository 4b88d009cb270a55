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

/**
 * Refuses what another site's page makes a browser send without an Origin: images, scripts, links, frames, navigations. A GET from
 * there must not cost, change or reveal anything, and without keys nothing else stands before it. Browsers say where a request
 * comes from in Sec-Fetch-Site (W3C Fetch Metadata), which no page can forge; older ones, and all of them over plain HTTP beyond
 * loopback, at most in Referer. Programs send neither. What a user types or opens from a bookmark is accepted.
 * @param isPage whether the answer is an HTML page without side effects: a link of another site may lead there
 * @throws HttpError 403
 */
export function checkSite(request: IncomingMessage, url: URL, allowed: readonly string[], isPage: boolean): void {
  const { origin, referer } = request.headers;
  // Its own or an allowed one: checked before.
  if (origin !== undefined) return;
  const from = referer !== undefined && URL.canParse(referer) ? new URL(referer).origin : null;
  if (from !== null && allowed.includes(from)) return;
  const site = request.headers['sec-fetch-site'];
  const isOwn = site === undefined ? from === null || isSame(from, url) : site === 'same-origin' || site === 'none';
  if (isOwn || (isPage && isNavigation(request))) return;
  throw new HttpError(
    403,
    'requests from pages of other sites are not allowed; add their origin to serve.allowedOrigins',
  );
}

/** The user follows a link: the answer replaces the page, which cannot read it. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
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

import { type ServerResponse, STATUS_CODES } from 'node:http';
import { ERRORS, LukhasError } from '../../lib/errors.js';
import { maskedJson, visibleJson } from '../../lib/input/index.js';
import { HttpError } from './route.js';

/** On every answer: it must not be cached, indexed, interpreted as another type, or read by another site's page. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex, nofollow',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

export function setSecurityHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = encode(response, status, body, headers);
  response.end(bytes);
}

/** The error as a client may see it: internal errors show no details. */
export function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof LukhasError) return new HttpError(ERRORS[error.code].status, error.message);
  return new HttpError(500, "internal error; see the server's standard error");
}

/** `{error: {code, message}}`, and `more` beside it. */
export function sendError(response: ServerResponse, error: HttpError, more: object = {}): void {
  sendJson(
    response,
    error.status,
    { error: { code: codeOf(error.status), message: error.message }, ...more },
    error.headers,
  );
}

/**
 * Answers while the client is still sending a body that is refused, and keeps reading for a while: closing at once would reset
 * the connection, and the reset can overtake the answer.
 */
export function sendErrorAndLinger(response: ServerResponse, error: HttpError, lingerMs: number): void {
  const body = { error: { code: codeOf(error.status), message: error.message } };
  response.shouldKeepAlive = false;
  response.write(encode(response, error.status, body, error.headers));
  const finish = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, lingerMs);
  response.req.once('end', finish).once('close', finish).resume();
}

function encode(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Buffer {
  const bytes = Buffer.from(`${visibleJson(maskedJson(body))}\n`);
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
    ...headers,
  });
  return bytes;
}

/** `404` -> `NOT_FOUND`. */
function codeOf(status: number): string {
  return (STATUS_CODES[status] ?? `HTTP ${status}`).toUpperCase().replace(/[^A-Z0-9]+/g, '_');
}

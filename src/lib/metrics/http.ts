import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import { maskUrls } from '../input/index.js';
import { encodingOf, isDelimited, readBody } from './body.js';

/** What tells the other side who asks, and this side whom to trust. */
export interface Credentials {
  headers?: Record<string, string>;
  /** Certificates (PEM) to trust instead of the system's. */
  ca?: string;
  /** Certificate (PEM) to show, and its key. */
  cert?: string;
  key?: string;
}

export interface GetOptions extends Credentials {
  /** For the whole answer, from connecting to the last byte. */
  timeoutMs: number;
  /** Largest body after decompression, bytes. */
  maxBytes?: number;
  /** What to do about a larger one. */
  tooLarge?: string;
  signal?: AbortSignal;
  /** Keeps connections; without one each call opens its own. */
  agent?: Agent;
  /** IP address to connect to; the host's name stays in the Host header and in TLS. Not together with an agent. */
  address?: string;
}

export interface Failure {
  ok: false;
  state: 'unreachable' | 'refused' | 'invalid';
  /** In words, without credentials or query. */
  detail: string;
  /** HTTP status and body, when there was an answer. */
  status?: number;
  body?: string;
  /** Whether trying the same again may help. */
  retryable: boolean;
}

export type TextAnswer = { ok: true; status: number; contentType: string; body: string; date: number | null } | Failure;

export interface BytesAnswer {
  ok: true;
  status: number;
  contentType: string;
  /** After decompression. */
  bytes: Buffer;
  /** What time it was there, milliseconds since the epoch in whole seconds; null: it does not say, or it is a kept answer. */
  date: number | null;
  /** Whether HTTP or gzip said where the body ends. Otherwise its end is that of the connection, and it may be cut off. */
  delimited: boolean;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_REDIRECTS = 3;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** GETs a text in UTF-8, as `getBytes` does. */
export async function getText(url: string, options: GetOptions): Promise<TextAnswer> {
  const answer = await getBytes(url, options);
  if (!answer.ok) return answer;
  const { status, contentType, date } = answer;
  const body = decodeUtf8(answer.bytes);
  return body === null ? notText(shownUrl(url), answer) : { ok: true, status, contentType, body, date };
}

/** What an answer is called that is no text in UTF-8. */
export function notText(where: string, { contentType, status }: BytesAnswer): Failure {
  const detail = `${where}: not a text in UTF-8 (${contentType === '' ? 'no content type' : contentType})`;
  return { ok: false, state: 'invalid', detail, status, retryable: false };
}

/** @returns the text without a byte order mark; null: it is not in UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null; // the only failure of a fatal decoder
  }
}

/**
 * GETs a body. What happens to the other side is an answer, never an exception; rejects only with the reason of
 * `signal`. Without an agent each call uses a connection of its own: looks are seconds apart, so a kept one would mostly
 * meet the moment at which the server closes it. Redirects are followed within the origin alone, as headers may hold secrets.
 */
export async function getBytes(url: string, options: GetOptions): Promise<BytesAnswer | Failure> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const stop = new Stop();
  const abort = () => stop.now();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort);
  try {
    return await follow(new URL(url), options, stop);
  } catch (error) {
    signal?.throwIfAborted();
    if (!stop.stopped) return failureOf(shownUrl(url), error);
    const detail = `${shownUrl(url)}: no complete answer within ${timeoutMs / 1000} s`;
    return { ok: false, state: 'unreachable', detail, retryable: true };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Ends the request under way. An AbortSignal would do the same, and cost as much as all else that is done for a small answer. */
class Stop {
  stopped = false;
  private request: ClientRequest | null = null;

  now(): void {
    this.stopped = true;
    this.request?.destroy(new Error('stopped'));
  }

  /** The request that is under way from now on. */
  watch(request: ClientRequest): void {
    this.request = request;
    if (this.stopped) this.now();
  }
}

/** A URL as messages may show it: no user, password, query or fragment, nor a token in its path. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return maskUrls(`${protocol}//${host}${pathname}`);
}

async function follow(
  url: URL,
  options: GetOptions,
  stop: Stop,
  before: readonly string[] = [],
): Promise<BytesAnswer | Failure> {
  const response = await send(url, options, stop);
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (status < 300 || status > 399 || location === undefined) return receive(response, url, options);
  const where = shownUrl(url.href);
  response.destroy();
  const target = URL.canParse(location, url.href) ? new URL(location, url) : null;
  const seen = [...before, url.href];
  const isCircle = target !== null && seen.includes(target.href);
  if (target?.origin === url.origin && !isCircle && seen.length <= MAX_REDIRECTS) {
    return follow(target, options, stop, seen);
  }
  const to = target === null ? 'an invalid URL' : shownUrl(target.href);
  const detail = target?.origin === url.origin ? circle(where, to, isCircle) : notFollowed(where, to);
  return { ok: false, state: 'invalid', detail, status, retryable: false };
}

/** Pages that differ in their query alone are shown alike: one that redirects to itself with ever new queries is a circle. */
function circle(where: string, to: string, isCircle: boolean): string {
  if (where === to) return `${where} redirects to itself`;
  return isCircle ? `${to} redirects to itself, by way of ${where}` : notFollowed(where, to);
}

function notFollowed(where: string, to: string): string {
  return `${where} redirects to ${to}, which is not followed: configure the final URL`;
}

function send(url: URL, options: GetOptions, stop: Stop): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, requestOptions(options));
    stop.watch(request.on('response', resolve).on('error', reject));
    request.end();
  });
}

function requestOptions({ headers, ca, cert, key, agent, address }: GetOptions): RequestOptions {
  const all = { 'accept-encoding': 'gzip', 'user-agent': 'lukhas', ...headers };
  const options: RequestOptions = { agent: agent ?? false, headers: all };
  if (ca !== undefined) options.ca = ca;
  if (cert !== undefined) options.cert = cert;
  if (key !== undefined) options.key = key;
  if (address !== undefined) options.lookup = alwaysAt(address);
  return options;
}

function alwaysAt(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4;
  return (_, { all }, callback) => {
    if (all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

async function receive(response: IncomingMessage, url: URL, options: GetOptions): Promise<BytesAnswer | Failure> {
  const status = response.statusCode ?? 0;
  const limit = options.maxBytes ?? MAX_BODY_BYTES;
  const encoding = encodingOf(response);
  const bytes = await readBody(response, encoding, limit, options.tooLarge);
  const failed = statusFailure(status, url);
  if (typeof bytes === 'string') {
    const detail = `${shownUrl(url.href)}: ${bytes}`;
    return failed ?? { ok: false, state: 'invalid', detail, status, retryable: false };
  }
  if (failed !== null) {
    const body = decodeUtf8(bytes);
    return body === null ? failed : { ...failed, body };
  }
  const contentType = response.headers['content-type'] ?? '';
  const endsItself = encoding === 'gzip' && bytes.length > 0;
  const delimited = endsItself || isDelimited(response);
  return { ok: true, status, contentType, bytes, delimited, date: dateOf(response) };
}

function dateOf({ headers }: IncomingMessage): number | null {
  const date = headers.age === undefined ? Date.parse(headers.date ?? '') : Number.NaN;
  return Number.isNaN(date) ? null : date;
}

function statusFailure(status: number, url: URL): Failure | null {
  if (status >= 200 && status < 300 && status !== 206) return null;
  const detail = `${shownUrl(url.href)} answered ${status}${status === 206 ? ', with a part of the page' : ''}`;
  if (status === 401 || status === 403) return { ok: false, state: 'refused', detail, status, retryable: false };
  if (status >= 500) return { ok: false, state: 'unreachable', detail, status, retryable: true };
  return { ok: false, state: 'invalid', detail, status, retryable: status === 408 || status === 429 };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name lookup failed',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
};

function failureOf(where: string, error: unknown): Failure {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const failed = (state: Failure['state'], why: string, retryable: boolean): Failure => ({
    ok: false,
    state,
    detail: `${where}: ${why}`,
    retryable,
  });
  if (code.startsWith('HPE_')) return failed('invalid', 'the answer is not HTTP', false);
  if (code === 'Z_BUF_ERROR') return failed('unreachable', 'the answer was cut off: its gzip ends early', true);
  if (code.startsWith('Z_')) return failed('invalid', 'the answer is said to be gzip, and is not', false);
  if (/alert[ _](?:.*certificate|handshake[ _]failure|unknown[ _]ca)/i.test(`${code} ${message}`)) {
    return failed('refused', `it refuses the TLS handshake: it may want a client certificate (${code})`, false);
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return failed('unreachable', `its certificate is for another name (${code})`, false);
  }
  if (code === 'CERT_HAS_EXPIRED') return failed('unreachable', `its certificate has expired (${code})`, false);
  if (/CERT|SIGNED|UNABLE_TO/.test(code)) {
    return failed('unreachable', `its certificate is not trusted (${code}): give the CA's file`, false);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return failed('unreachable', 'it does not speak TLS there', false);
  const reason = REASONS[code];
  return failed('unreachable', reason === undefined ? message : `${reason} (${code})`, true);
}

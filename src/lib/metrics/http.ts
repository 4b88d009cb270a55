import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { maskUrls } from '../input/index.js';

export interface GetOptions {
  headers?: Record<string, string>;
  /** For the whole answer, from connecting to the last byte. */
  timeoutMs: number;
  /** Largest body after decompression, bytes. */
  maxBytes?: number;
  signal?: AbortSignal;
  /** Certificates (PEM) to trust instead of the system's. */
  ca?: string;
  /** Certificate (PEM) to show, and its key. */
  cert?: string;
  key?: string;
  /** Keeps connections; without one each call opens its own. */
  agent?: Agent;
}

export type TextAnswer =
  | { ok: true; status: number; contentType: string; body: string }
  | {
      ok: false;
      state: 'unreachable' | 'refused' | 'invalid';
      /** In words, without credentials or query. */
      detail: string;
      /** HTTP status and body, when there was an answer. */
      status?: number;
      body?: string;
      /** Whether trying the same again may help. */
      retryable: boolean;
    };

type Failure = Extract<TextAnswer, { ok: false }>;

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const MAX_REDIRECTS = 3;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * GETs a text. What happens to the other side is an answer, never an exception; rejects only with the reason of
 * `signal`. Without an agent each call uses a connection of its own: looks are seconds apart, so a kept one would mostly
 * meet the moment at which the server closes it. Redirects are followed within the origin alone, as headers may hold secrets.
 */
export async function getText(url: string, options: GetOptions): Promise<TextAnswer> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  const where = shownUrl(url);
  try {
    return await follow(new URL(url), options, stop.signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!stop.signal.aborted) return failureOf(where, error);
    const detail = `${where}: no complete answer within ${timeoutMs / 1000} s`;
    return { ok: false, state: 'unreachable', detail, retryable: true };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** A URL as messages may show it: no user, password, query or fragment, nor a token in its path. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return maskUrls(`${protocol}//${host}${pathname}`);
}

async function follow(url: URL, options: GetOptions, signal: AbortSignal, hop = 0): Promise<TextAnswer> {
  const response = await send(url, options, signal);
  const status = response.statusCode ?? 0;
  const where = shownUrl(url.href);
  const { location } = response.headers;
  if (status < 300 || status > 399 || location === undefined) return receive(response, where, options);
  response.destroy();
  const target = URL.canParse(location, url.href) ? new URL(location, url) : null;
  if (target?.origin === url.origin && hop < MAX_REDIRECTS) return follow(target, options, signal, hop + 1);
  const to = target === null ? 'an invalid URL' : shownUrl(target.href);
  const detail = `${where} redirects to ${to}, which is not followed: configure the final URL`;
  return { ok: false, state: 'invalid', detail, status, retryable: false };
}

function send(url: URL, { headers, ca, cert, key, agent }: GetOptions, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const all = { 'accept-encoding': 'gzip', 'user-agent': 'lukhas', ...headers };
    const tls = { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert, key }) };
    request(url, { agent: agent ?? false, headers: all, signal, ...tls })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}

async function receive(response: IncomingMessage, where: string, options: GetOptions): Promise<TextAnswer> {
  const status = response.statusCode ?? 0;
  const limit = options.maxBytes ?? MAX_BODY_BYTES;
  const bytes = await readBody(response, limit);
  const failed = statusFailure(status, where);
  if (typeof bytes === 'string') {
    return failed ?? { ok: false, state: 'invalid', detail: `${where}: ${bytes}`, status, retryable: false };
  }
  const body = decode(bytes);
  if (failed !== null) return body === null ? failed : { ...failed, body };
  const contentType = response.headers['content-type'] ?? '';
  if (body !== null) return { ok: true, status, contentType, body };
  const detail = `${where}: not a text in UTF-8 (${contentType === '' ? 'no content type' : contentType})`;
  return { ok: false, state: 'invalid', detail, status, retryable: false };
}

/** @returns the body, or in words why it was not read. */
async function readBody(response: IncomingMessage, limit: number): Promise<Buffer | string> {
  const tooLarge = `the answer is larger than ${limit / 1024 / 1024} MiB: expose fewer series there, or read them through Prometheus`;
  if (Number(response.headers['content-length'] ?? 0) > limit) {
    response.destroy();
    return tooLarge;
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'gzip' && encoding !== 'identity') {
    response.destroy();
    return `the answer is encoded as ${encoding}, asked for was gzip`;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > limit) throw new RangeError(tooLarge);
      chunks.push(chunk);
    }
  };
  try {
    await (encoding === 'gzip' ? pipeline(response, createGunzip(), collect) : collect(response));
  } catch (error) {
    if (size > limit) return tooLarge;
    throw error;
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null; // the only failure of a fatal decoder: not UTF-8
  }
}

function statusFailure(status: number, where: string): Failure | null {
  if (status >= 200 && status < 300) return null;
  const detail = `${where} answered ${status}`;
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
  if (code.startsWith('Z_')) return failed('invalid', 'the answer is said to be gzip, and is not', false);
  if (/CERT|SIGNED|UNABLE_TO/.test(code)) {
    return failed('unreachable', `its certificate is not trusted (${code}): give the CA's file`, false);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return failed('unreachable', 'it does not speak TLS there', false);
  const reason = REASONS[code];
  return failed('unreachable', reason === undefined ? message : `${reason} (${code})`, true);
}

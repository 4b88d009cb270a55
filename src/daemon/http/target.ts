import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { HttpError } from './route.js';

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const KEY_PARAMETERS: ReadonlySet<string> = new Set(['key', 'apikey', 'token', 'accesstoken', 'xapikey']);

/**
 * The URL that the request is for (RFC 9112, sections 3.2 and 3.3).
 * @throws HttpError 400 for a missing, repeated or malformed Host, and for a target that is not a path
 */
export function targetOf(request: IncomingMessage): URL {
  const hosts = request.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'host');
  const host = request.headers.host;
  if (hosts.length !== 1 || host === undefined) throw new HttpError(400, 'send exactly one Host header');
  const target = request.url ?? '';
  // A target that is a full URL names the host itself; the Host header is then ignored.
  const url = target.startsWith('/') ? parse(host, target) : absolute(target);
  if (url === null) throw new HttpError(400, 'the request target or the Host header is not a valid URL');
  return url;
}

function parse(authority: string, target: string): URL | null {
  if (!/^[\w.~-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/.test(authority)) return null;
  const text = `http://${authority}${target}`;
  return URL.canParse(text) ? new URL(text) : null;
}

function absolute(target: string): URL | null {
  const [, authority, rest] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  return authority === undefined || rest === undefined
    ? null
    : parse(authority, rest.startsWith('/') ? rest : `/${rest}`);
}

/** The names this server answers to. Any other name may be DNS rebinding: a page whose own name resolves to this address. */
export class Hosts {
  readonly #names: ReadonlySet<string>;

  /** @param allowed names, or name:port */
  constructor(allowed: readonly string[]) {
    this.#names = new Set([...LOOPBACK_NAMES, ...allowed.map((name) => name.toLowerCase())]);
  }

  /**
   * Accepts the loopback names, the allowed names, and the address that the client connected to.
   * @throws HttpError 421
   */
  check(url: URL, request: IncomingMessage): void {
    const name = url.hostname.replace(/\.$/, '');
    if (this.#names.has(name) || this.#names.has(url.host)) return;
    if (isOwnAddress(name, request.socket.localAddress ?? '')) return;
    throw new HttpError(421, `unknown host ${name}; add it to serve.allowedHosts to allow it`);
  }
}

function isOwnAddress(name: string, address: string): boolean {
  const literal = name.replace(/^\[|\]$/g, '');
  return isIP(literal) !== 0 && literal === address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** Keys in URLs end up in logs, histories and referrers. @throws HttpError 400 */
export function refuseKeyInUrl(url: URL): void {
  if (url.search === '') return;
  for (const name of url.searchParams.keys())
    if (KEY_PARAMETERS.has(name.toLowerCase().replace(/[_-]/g, '')))
      throw new HttpError(
        400,
        `API key in the URL (parameter "${name}"): send it as Authorization: Bearer KEY or X-API-Key: KEY, and replace this key`,
      );
}

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LukhasError } from '../../lib/errors.js';
import type { Actor } from '../../lib/ledger/index.js';
import { HttpError } from './route.js';

const SHORTEST_KEY = 16;

interface Known {
  digest: Buffer;
  actor: Actor;
}

/** The keys that open the server. Only their digests are kept. */
export class ApiKeys {
  readonly #known: readonly Known[];

  /**
   * @param keys as `LUKHAS_MCP_API_KEYS` lists them; none: every client is let in, so the server must stay on loopback
   * @throws LukhasError CONFIG that names a bad key by its place in the list
   */
  constructor(keys: readonly string[]) {
    this.#known = keys.map((key, index) => {
      assertKey(key, index + 1);
      const digest = sha256(key);
      return { digest, actor: { who: `key:${digest.toString('hex').slice(0, 8)}`, how: 'api-key' } };
    });
  }

  get required(): boolean {
    return this.#known.length > 0;
  }

  /** @throws HttpError 401 */
  identify(request: IncomingMessage): Actor {
    if (!this.required) return { who: addressOf(request), how: 'loopback' };
    const given = keyOf(request);
    if (given === null) throw refusal('a key is needed: send Authorization: Bearer KEY or X-API-Key: KEY', '');
    const digest = sha256(given);
    let actor: Actor | null = null;
    // All are compared, so that the time tells nothing of which one was close.
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) actor = known.actor;
    if (actor === null) throw refusal('this key is not known here', ', error="invalid_token"');
    return actor;
  }
}

/** Who asks for what needs no key. */
export function addressOf(request: IncomingMessage): string {
  return (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
}

function keyOf({ headers }: IncomingMessage): string | null {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const own = headers['x-api-key'];
  return bearer ?? (typeof own === 'string' && own !== '' ? own : null);
}

function assertKey(key: string, place: number): void {
  const problem =
    key.length < SHORTEST_KEY
      ? `has ${key.length} characters; ${SHORTEST_KEY} are the least`
      : /^[\x21-\x7e]+$/.test(key)
        ? null
        : 'has a character that a header cannot carry';
  if (problem === null) return;
  throw new LukhasError('CONFIG', `LUKHAS_MCP_API_KEYS: key ${place} ${problem}`, {
    suggestions: ['Make one: openssl rand -hex 32'],
  });
}

function refusal(message: string, more: string): HttpError {
  return new HttpError(401, message, { 'WWW-Authenticate': `Bearer realm="lukhas"${more}` });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

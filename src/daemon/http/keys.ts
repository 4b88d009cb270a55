import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LukhasError } from '../../lib/errors.js';
import type { Actor } from '../../lib/ledger/index.js';
import { HttpError } from './route.js';
import { assertOwnPage, type Sessions } from './sessions.js';

const SHORTEST_KEY = 16;

interface Known {
  digest: Buffer;
  actor: Actor;
}

/** The API keys of the server. Only their digests are kept. */
export class ApiKeys {
  readonly #known: readonly Known[];

  /**
   * @param keys from `LUKHAS_MCP_API_KEYS`; none: every client is accepted, so the server must stay on loopback
   * @param sessions of those who have signed in with one of them
   * @throws LukhasError CONFIG that names a bad key by its position in the list
   */
  constructor(
    keys: readonly string[],
    private readonly sessions: Sessions | null = null,
  ) {
    this.#known = keys.map((key, index) => {
      assertKey(key, index + 1);
      const digest = sha256(key);
      return { digest, actor: { who: `key:${digest.toString('hex').slice(0, 8)}`, how: 'api-key' } };
    });
  }

  get required(): boolean {
    return this.#known.length > 0;
  }

  /** @throws HttpError 401; 403 for a change that a session's cookie asks for from elsewhere */
  identify(request: IncomingMessage): Actor {
    if (!this.required) return { who: addressOf(request), how: 'loopback' };
    const given = keyOf(request);
    if (given !== null) return this.actorOf(given);
    const session = this.sessions?.of(request) ?? null;
    if (session === null) throw refusal('API key required: send Authorization: Bearer KEY or X-API-Key: KEY', '');
    assertOwnPage(request);
    return session.actor;
  }

  /** @throws HttpError 401 for a key that is not known */
  actorOf(given: string): Actor {
    const digest = sha256(given);
    let actor: Actor | null = null;
    // Compares with all keys, so that the time does not reveal which one matched.
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) actor = known.actor;
    if (actor === null) throw refusal('unknown API key', ', error="invalid_token"');
    return actor;
  }
}

/** The client's address: its identity on routes without a key. */
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
      ? `has ${key.length} characters, needs at least ${SHORTEST_KEY}`
      : /^[\x21-\x7e]+$/.test(key)
        ? null
        : 'has a character that is not allowed in a header';
  if (problem === null) return;
  throw new LukhasError('CONFIG', `LUKHAS_MCP_API_KEYS: key ${place} ${problem}`, {
    suggestions: ['Create one: openssl rand -hex 32'],
  });
}

function refusal(message: string, more: string): HttpError {
  return new HttpError(401, message, { 'WWW-Authenticate': `Bearer realm="lukhas"${more}` });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

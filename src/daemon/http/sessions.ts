import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/clock.js';
import type { Actor } from '../../lib/ledger/index.js';
import { HttpError } from './route.js';

const COOKIE = 'lukhas_session';
export const SESSION_SECONDS = 12 * 60 * 60;
/** The oldest is forgotten when there are more. */
const MOST = 10_000;

interface Known {
  actor: Actor;
  /** Ms since the epoch. */
  until: number;
}

/**
 * Who has signed in with a key in a browser. Kept in memory, as hashes: a daemon that was started anew asks for the key again. The
 * cookie is out of reach of scripts and of other sites (RFC 6265bis, HttpOnly and SameSite=Strict).
 */
export class Sessions {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** @returns the header that gives the browser its session */
  begin(actor: Actor): string {
    const token = randomBytes(32).toString('base64url');
    this.#forget();
    this.#known.set(hashOf(token), { actor, until: this.#clock.now() + SESSION_SECONDS * 1000 });
    return cookie(token, SESSION_SECONDS);
  }

  /** Ends the session of a request. @returns the header that takes it from the browser */
  end(request: IncomingMessage): string {
    const token = tokenOf(request);
    if (token !== null) this.#known.delete(hashOf(token));
    return cookie('', 0);
  }

  /** Whose session a request carries; null: none, or one that is over. */
  of(request: IncomingMessage): Known | null {
    const token = tokenOf(request);
    const known = token === null ? undefined : this.#known.get(hashOf(token));
    return known !== undefined && known.until > this.#clock.now() ? known : null;
  }

  #forget(): void {
    const now = this.#clock.now();
    for (const [hash, { until }] of this.#known)
      if (until <= now || this.#known.size >= MOST) this.#known.delete(hash);
      else return;
  }
}

/**
 * What a browser sends by itself must come from a page of this server to change anything: JSON, which no form can send, and a
 * mark of the browser that the page is its own.
 * @throws HttpError 403
 */
export function assertOwnPage({ method, headers }: IncomingMessage): void {
  if (method === 'GET' || method === 'HEAD') return;
  const own = headers['sec-fetch-site'] === 'same-origin' || headers.origin !== undefined;
  if (own && /^application\/json\b/i.test(headers['content-type'] ?? '')) return;
  throw new HttpError(403, 'a session changes things only from the page itself; programs send their key in a header');
}

function cookie(token: string, seconds: number): string {
  return `${COOKIE}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
}

function tokenOf({ headers }: IncomingMessage): string | null {
  const [, token] = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{43})(?:;|$)`).exec(headers.cookie ?? '') ?? [];
  return token ?? null;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

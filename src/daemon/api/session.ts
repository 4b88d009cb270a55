import { z } from 'zod';
import type { Clock } from '../../lib/clock.js';
import { type ApiKeys, addressOf, HttpError, RateLimiter, type Route, type Sessions, sendJson } from '../http/index.js';
import { readJson } from './body.js';

export interface SessionRoutesOptions {
  keys: ApiKeys;
  sessions: Sessions;
  clock: Clock;
  version: string;
  readOnly: boolean;
}

/** Failed attempts of an address; one comes back every six seconds. */
const ATTEMPTS = { bucket: 10, windowMs: 60_000 };

const login = z.strictObject({ key: z.string().min(1, 'is empty').max(500, 'is too long') });

/** Signing in to the cockpit with a key, once, instead of a key in every request. */
export function sessionRoutes({ keys, sessions, clock, version, readOnly }: SessionRoutesOptions): Route[] {
  const attempts = new RateLimiter(ATTEMPTS, clock);
  return [
    {
      methods: ['GET'],
      path: '/api/session',
      open: true,
      handle: (request, response) => {
        const session = keys.required ? sessions.of(request) : null;
        sendJson(response, 200, {
          required: keys.required,
          signedIn: session !== null,
          who: session?.actor.who ?? null,
          expiresAt: session?.until ?? null,
          version,
          readOnly,
        });
      },
    },
    {
      methods: ['POST'],
      path: '/login',
      open: true,
      handle: async (request, response, context) => {
        const { key } = await readJson(login, context);
        if (!keys.required) throw new HttpError(409, 'this daemon has no keys: nobody has to sign in');
        // Each attempt counts; a successful one is given back.
        const address = addressOf(request);
        attempts.admit(address);
        const actor = keys.actorOf(key);
        attempts.charge(address, -1);
        response.writeHead(204, { 'Set-Cookie': sessions.begin(actor) }).end();
      },
    },
    {
      methods: ['POST'],
      path: '/logout',
      open: true,
      handle: (request, response) => {
        response.writeHead(204, { 'Set-Cookie': sessions.end(request) }).end();
      },
    },
  ];
}

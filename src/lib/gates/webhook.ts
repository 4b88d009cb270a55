import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { LukhasError } from '../errors.js';
import { isUrl, parseUrl, type UrlRules } from '../input/index.js';
import { DETAIL_BYTES, detailLine } from './detail.js';
import { type HookCall, type HookContext, type HookKind, type HookResult, timeout, VARIABLE } from './hook-kind.js';

const URL_RULES: UrlRules = {
  example: 'https://host/path',
  instead: 'put the URL into an environment variable and name that with urlEnv, or sign the calls (secretEnv)',
};

const settings = z.strictObject({
  url: z.string().superRefine(isUrl(URL_RULES)).optional(),
  /** Environment variable that holds the URL, in the place of `url`: of one that is itself a credential. */
  urlEnv: z.string().regex(VARIABLE, 'must be the name of an environment variable, not the URL itself').optional(),
  /** Environment variable that holds the signing secret; null: requests are not signed. */
  secretEnv: z
    .string()
    .regex(VARIABLE, 'must be the name of an environment variable, not the secret itself')
    .nullable()
    .default(null),
  /** For each try. */
  timeoutSeconds: timeout(10),
  /** Tries after the first. */
  retries: z.number().int().min(0).max(10).default(3),
});

const schema = settings.refine(
  ({ url, urlEnv }) => (url === undefined) !== (urlEnv === undefined),
  'must have either url or urlEnv',
);

export type WebhookSettings = z.output<typeof schema>;

const FIRST_BACKOFF_MS = 500;
const MAX_WAIT_MS = 30_000;
const RETRIED = new Set([408, 425, 429]);

export const webhook: HookKind<WebhookSettings> = {
  schema,
  nameOf: ({ url, urlEnv = 'webhook' }) => (url === undefined ? urlEnv : new URL(url).host),
  longestSeconds: ({ timeoutSeconds, retries }) => (timeoutSeconds + MAX_WAIT_MS / 1000) * (retries + 1),
  secretNames: ({ urlEnv, secretEnv }) => [urlEnv ?? [], secretEnv ?? []].flat(),
  checkSecrets: (settings, env) => {
    addressOf(settings, env);
    if (settings.secretEnv !== null) signingKey(settings.secretEnv, env);
  },
  call,
};

/** What one try came to; `retryAfterMs` is the receiver's wish. */
interface Try {
  ok: boolean;
  retry: boolean;
  detail: string;
  retryAfterMs: number | null;
}

/**
 * POSTs the call as JSON in the form of Standard Webhooks (standardwebhooks.com, v1 HMAC-SHA256). A status of 2xx is
 * success; network errors, timeouts, 408, 425, 429 and 5xx are tried again with the same id, a fresh timestamp and
 * signature. Redirects are not followed.
 * @throws the signal's reason when aborted; LukhasError CONFIG: the address, the secret
 */
async function call(settings: WebhookSettings, told: HookCall, context: HookContext): Promise<HookResult> {
  const { clock, env, random, signal } = context;
  const { retries, secretEnv, timeoutSeconds } = settings;
  const key = secretEnv === null ? null : signingKey(secretEnv, env);
  const url = addressOf(settings, env);
  const body = JSON.stringify({ type: `canary.${told.action}`, timestamp: told.decidedAt, data: told });
  const started = clock.now();
  for (let tries = 1; ; tries++) {
    const headers = signedHeaders(told.key, Math.floor(clock.now() / 1000), body, key);
    const outcome = await post(url, headers, body, timeoutSeconds, context);
    if (!outcome.retry || tries > retries) {
      const detail = tries === 1 ? outcome.detail : `${outcome.detail} (after ${tries} tries)`;
      return {
        ok: outcome.ok,
        detail: hiding(url, settings, detail),
        durationMs: Math.max(0, Math.round(clock.now() - started)),
      };
    }
    const backoff = FIRST_BACKOFF_MS * 2 ** (tries - 1) * (0.5 + random() / 2);
    await clock.sleep(Math.min(Math.max(backoff, outcome.retryAfterMs ?? 0), MAX_WAIT_MS), signal);
  }
}

/** @throws LukhasError CONFIG, without the address: that of a variable is itself a credential */
function addressOf({ url, urlEnv = '' }: WebhookSettings, env: NodeJS.ProcessEnv): URL {
  if (url !== undefined) return parseUrl(url, 'webhook url', 'CONFIG', URL_RULES);
  const given = env[urlEnv];
  if (!given) throw new LukhasError('CONFIG', `webhook url: the environment variable ${urlEnv} is not set`);
  const parsed = URL.canParse(given) ? new URL(given) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new LukhasError(
      'CONFIG',
      `webhook url: the environment variable ${urlEnv} does not hold an http or https URL`,
    );
  if (parsed.username === '' && parsed.password === '') return parsed;
  throw new LukhasError('CONFIG', `webhook url: ${urlEnv} contains a user name or password, which is not sent`);
}

/** What is recorded of a call to an address out of a variable: a receiver may repeat the address that it was called at. */
function hiding(url: URL, { urlEnv }: WebhookSettings, detail: string): string {
  if (urlEnv === undefined) return detail;
  const parts = [url.href, `${url.pathname}${url.search}`, url.search, ...url.pathname.split('/')];
  return parts.filter((part) => part.length >= 10).reduce((text, part) => text.replaceAll(part, '***'), detail);
}

/** The secret is `whsec_` and base64, or any other text, used as its UTF-8 bytes. */
function signingKey(name: string, env: NodeJS.ProcessEnv): Buffer {
  const secret = env[name];
  if (!secret) throw new LukhasError('CONFIG', `webhook secret: the environment variable ${name} is not set`);
  if (!secret.startsWith('whsec_')) return Buffer.from(secret, 'utf8');
  const encoded = secret.slice('whsec_'.length);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) {
    throw new LukhasError(
      'CONFIG',
      `webhook secret: ${name} begins with whsec_ but the rest is not base64; create a new one`,
    );
  }
  return Buffer.from(encoded, 'base64');
}

function signedHeaders(id: string, seconds: number, body: string, key: Buffer | null): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'lukhas',
    'idempotency-key': id,
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
  };
  if (key !== null) {
    const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
    headers['webhook-signature'] = `v1,${mac}`;
  }
  return headers;
}

async function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  timeoutSeconds: number,
  { signal, clock }: HookContext,
): Promise<Try> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const abort = () => limit.abort();
  const timer = setTimeout(abort, timeoutSeconds * 1000);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: limit.signal });
    return await readTry(response, clock);
  } catch (error) {
    signal?.throwIfAborted();
    const why = limit.signal.aborted ? `no answer within ${timeoutSeconds} s` : networkError(error);
    return { ok: false, retry: true, detail: `${url.host}: ${why}`, retryAfterMs: null };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function readTry(response: Response, clock: Clock): Promise<Try> {
  const { status } = response;
  const redirect = status >= 300 && status < 400;
  const label = `HTTP ${status}${redirect ? ' (redirects are not followed)' : ''}`;
  return {
    ok: response.ok,
    retry: RETRIED.has(status) || status >= 500,
    detail: detailLine(label, await firstBytes(response)),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after'), clock.now()),
  };
}

/** The status decides, so a body that breaks off or never ends is cut, not failed. */
async function firstBytes(response: Response): Promise<Buffer> {
  const reader = response.body?.getReader();
  let kept = Buffer.alloc(0);
  if (reader === undefined) return kept;
  try {
    while (kept.length < DETAIL_BYTES) {
      const { done, value } = await reader.read();
      if (done) return kept;
      kept = Buffer.concat([kept, value]).subarray(0, DETAIL_BYTES);
    }
    await reader.cancel();
  } catch (error) {
    return Buffer.concat([kept, Buffer.from(` (body broke off: ${networkError(error)})`)]);
  }
  return kept;
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function retryAfterMs(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** fetch says only "fetch failed"; the reason is in its cause. */
function networkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}

import type { Observation } from '../lib/judge/index.js';
import type { CanaryEntries, CanaryRecord, OverviewJson } from '../lib/view/index.js';
import { breathe } from './breathe.js';

/** What the daemon said when it did not do what was asked. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** What it said beside it. */
    readonly more: { reason?: string; field?: string | null; suggestions?: string[] } = {},
  ) {
    super(message);
  }

  /** What was refused, and what to do where something is said of that. */
  get withAdvice(): string {
    const end = /[.!?…]$/u.test(this.message) ? '' : '.';
    return [`${this.message}${end}`, ...(this.more.suggestions ?? [])].join(' ');
  }
}

/** Who is signed in, and whether anybody has to be. */
export interface Session {
  required: boolean;
  signedIn: boolean;
  who: string | null;
  /** Ms since the epoch. */
  expiresAt: number | null;
  version: string;
  readOnly: boolean;
}

/** @throws Refused; TypeError when nothing answers */
async function answer(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init });
  if (response.ok) return response;
  const body = (await response.json().catch(() => null)) as (Refused['more'] & { error?: { message?: string } }) | null;
  const ended = response.status === 401 && path !== '/login';
  const message = ended
    ? 'You are not signed in any more. Reload this page to sign in.'
    : (body?.error?.message ?? `The daemon answered ${response.status}.`);
  throw new Refused(response.status, message, body ?? {});
}

export async function get<T>(path: string): Promise<T> {
  return (await (await answer(path)).json()) as T;
}

export async function text(path: string): Promise<string> {
  return (await answer(path)).text();
}

export async function post<T>(
  path: string,
  body: unknown,
  { headers, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<T | null> {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
  const text = await (await answer(path, { ...init, signal: signal ?? null })).text();
  return text === '' ? null : (JSON.parse(text) as T);
}

export function overview(): Promise<OverviewJson> {
  return get('/api/overview');
}

export function session(): Promise<Session> {
  return get('/api/session');
}

/** What is recorded of a canary, with the lines of its observations. */
export interface Fetched {
  record: CanaryRecord;
  lines: string[];
}

/** @param known what is there already of the same canary: only newer observations are fetched */
export async function fetchCanary(id: string, known: Fetched | null): Promise<Fetched> {
  const entries = await get<CanaryEntries>(`/api/canary?id=${encodeURIComponent(id)}`);
  const mine = known?.record.id === entries.id ? known : null;
  const lines = [...(mine?.lines ?? [])];
  const observations = [...(mine?.record.observations ?? [])];
  const decided = entries.events.find((event) => event.kind === 'canary.decided');
  const last = decided?.data.verdict.tick ?? Number.POSITIVE_INFINITY;
  while ((observations.at(-1)?.tick ?? -1) < last) {
    const after = observations.at(-1)?.tick ?? -1;
    const response = await answer(`/api/observations?id=${encodeURIComponent(entries.id)}&after=${after}`);
    const page = (await response.text()).split('\n').filter((line) => line !== '');
    if (page.length === 0) break;
    for (const line of page) {
      const observation = JSON.parse(line) as Observation;
      if (observation.tick > last) break;
      lines.push(line);
      observations.push(observation);
      await breathe();
    }
  }
  // Only what was decided commits to its observations.
  const digest = decided === undefined ? null : await sha256(lines.map((line) => `${line}\n`).join(''));
  return { record: { ...entries, observations, digest }, lines };
}

/** Hex; null where the browser computes none, as on a page over plain HTTP of another machine. */
async function sha256(text: string): Promise<string | null> {
  if (globalThis.crypto?.subtle === undefined) return null;
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

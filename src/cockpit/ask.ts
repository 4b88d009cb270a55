import type { Observation } from '../lib/judge/index.js';
import type { CanaryRecord, OverviewJson } from '../lib/view/index.js';

/** What the daemon said when it did not do what was asked. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
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
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } } | null;
  throw new Refused(response.status, body?.error?.message ?? `The daemon answered ${response.status}.`);
}

export async function get<T>(path: string): Promise<T> {
  return (await (await answer(path)).json()) as T;
}

export async function post<T>(path: string, body: unknown): Promise<T | null> {
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const text = await (await answer(path, init)).text();
  return text === '' ? null : (JSON.parse(text) as T);
}

export function overview(): Promise<OverviewJson> {
  return get('/api/overview');
}

export function session(): Promise<Session> {
  return get('/api/session');
}

/** A canary's record, and whether its observations are those that were judged; null: that cannot be computed here. */
export interface Fetched {
  record: CanaryRecord;
  lines: string[];
  intact: boolean | null;
}

type Stored = Omit<CanaryRecord, 'observations'> & { observations: number };

/** @param known what is there already of the same canary: only newer observations are fetched */
export async function fetchCanary(id: string, known: Fetched | null): Promise<Fetched> {
  const stored = await get<Stored>(`/api/canary?id=${encodeURIComponent(id)}`);
  const lines = known?.record.id === stored.id ? [...known.lines] : [];
  const observations = known?.record.id === stored.id ? [...known.record.observations] : [];
  while (lines.length < stored.observations) {
    const after = observations.at(-1)?.tick ?? -1;
    const response = await answer(`/api/observations?id=${encodeURIComponent(stored.id)}&after=${after}`);
    const page = (await response.text()).split('\n').filter((line) => line !== '');
    if (page.length === 0) break;
    for (const line of page) {
      lines.push(line);
      observations.push(JSON.parse(line) as Observation);
    }
  }
  // What came in meanwhile belongs to the next time.
  lines.length = Math.min(lines.length, stored.observations);
  observations.length = lines.length;
  const { observations: _, ...rest } = stored;
  const digest = await sha256(`${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`);
  return { record: { ...rest, observations }, lines, intact: digest === null ? null : digest === stored.digest };
}

/** Hex; null where the browser computes none, as on a page over plain HTTP of another machine. */
export async function sha256(text: string): Promise<string | null> {
  if (globalThis.crypto?.subtle === undefined) return null;
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

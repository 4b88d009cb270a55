import { stat } from 'node:fs/promises';
import { httpCredentials } from './credentials.js';
import { type GetOptions, getText } from './http.js';
import { pageUrl, type SourceAuth, type SourceDescriptor } from './source.js';

export interface Reachability {
  ok: boolean;
  /** In words, without credentials. */
  detail: string;
}

/**
 * Whether a source answers now: for probes, so it asks little and waits little. That none is configured is no failure: a
 * canary without one ends BLOCKED, and says so.
 */
export async function reachable(source: SourceDescriptor, auth: SourceAuth, timeoutMs: number): Promise<Reachability> {
  switch (source.kind) {
    case 'none':
      return { ok: true, detail: 'none is configured' };
    case 'scrape':
      return pages([...source.canaryUrls, ...(source.baselineUrls ?? [])], auth, timeoutMs);
    case 'prometheus':
      return prometheus(source.url, auth, timeoutMs);
    case 'ndjson':
      return file(source.input);
  }
}

async function pages(urls: readonly string[], auth: SourceAuth, timeoutMs: number): Promise<Reachability> {
  const options = { ...httpCredentials(auth), timeoutMs };
  const answers = await Promise.all([...new Set(urls)].map((url) => answered(pageUrl(url), options)));
  return answers.find(({ ok }) => !ok) ?? { ok: true, detail: 'the metrics pages answer' };
}

async function prometheus(url: string, auth: SourceAuth, timeoutMs: number): Promise<Reachability> {
  const { queryEndpoint } = await import('./prometheus/config.js');
  const query = `${queryEndpoint(url).href}?query=1`;
  const answer = await answered(query, { ...httpCredentials(auth), timeoutMs });
  return answer.ok ? { ok: true, detail: 'Prometheus answers' } : answer;
}

async function answered(url: string, options: GetOptions): Promise<Reachability> {
  const answer = await getText(url, options);
  return answer.ok ? { ok: true, detail: 'answers' } : { ok: false, detail: answer.detail };
}

async function file(path: string): Promise<Reachability> {
  try {
    await stat(path);
    return { ok: true, detail: 'the file is there' };
  } catch (error) {
    return { ok: false, detail: `${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}` };
  }
}

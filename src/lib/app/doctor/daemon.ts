import type { Config } from '../config.js';
import { serveSettings } from '../serve-settings.js';
import { type Found, ok, skip, warn } from './check.js';

/** Whether a daemon answers where one would listen, and whether it is of this version. Sends no key. */
export async function daemonCheck({ serve }: Config, version: string, timeoutMs: number): Promise<Found> {
  const { host, port } = serveSettings(serve, {});
  const there = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const base = new URL(`http://${there.includes(':') ? `[${there}]` : there}:${port}`);
  const { ask } = await import('../../smoke/client.js');
  const target = { base, key: null, timeoutMs };
  try {
    const { status, body } = await ask(target, '/healthz');
    if (status !== 200 || objectOf(body)['status'] !== 'ok')
      return warn(
        `${base.host} answers, but not as lukhas does (${status})`,
        'Choose another port for lukhas serve (--port, serve.port).',
      );
    const health = await ask(target, '/health');
    if (health.status !== 200) return ok(`${base.host} answers; it wants a key for more`);
    return ofHealth(base.host, objectOf(health.body), version);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ECONNREFUSED')
      return skip(`none at ${base.host}; canaries are driven by the command that starts them`);
    return warn(`${base.host}: ${code ?? (error as Error).message}`, 'Is something else listening there?');
  }
}

function ofHealth(host: string, health: Record<string, unknown>, version: string): Found {
  const { server, version: theirs, status } = health;
  if (server !== 'lukhas') return warn(`${host} answers, but is not lukhas`, 'Choose another port for lukhas serve.');
  if (theirs !== version)
    return warn(`${host} is lukhas ${String(theirs)}, this is ${version}`, 'Restart lukhas serve after an upgrade.');
  if (status !== 'ok') return warn(`${host} is ${String(status)}`, `See http://${host}/health.`);
  return ok(`lukhas ${version} answers at ${host}`);
}

function objectOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // what is no JSON is no daemon of ours
  }
}

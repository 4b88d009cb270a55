import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../../src/daemon/daemon.js';
import { type App, openApp } from '../../../src/lib/app/app.js';
import { loadConfig } from '../../../src/lib/app/config.js';
import { serveSettings } from '../../../src/lib/app/serve-settings.js';

export interface Served {
  app: App;
  daemon: Daemon;
  url: string;
  stop(): Promise<void>;
}

/** A daemon on a database of its own. @param before fills the log before the daemon drives what is in it */
export async function serve(
  options: {
    env?: Record<string, string>;
    /** Where lukhas.yaml is looked for; its own folder when left out. */
    cwd?: string;
    readOnly?: boolean;
    before?: (app: App) => Promise<void>;
  } = {},
): Promise<Served> {
  const dir = await mkdtemp(join(tmpdir(), 'lukhas-api-'));
  const env = { HOME: dir, LUKHAS_MCP_DB: join(dir, 'log.db'), ...options.env };
  const config = await loadConfig({ env, cwd: options.cwd ?? dir });
  const app = await openApp({ config });
  await options.before?.(app);
  const http = serveSettings(config.serve, { port: '0' });
  const { readOnly = false } = options;
  const daemon = await startDaemon({ app, version: '1.2.3', http, readOnly, say: () => undefined });
  return {
    app,
    daemon,
    url: daemon.url!,
    async stop() {
      await daemon.stop();
      await app.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

import { LukhasError } from '../errors.js';

/** What configuration and environment say of the daemon. */
export interface ServeConfig {
  host?: string | undefined;
  /** A text when it comes from the environment. */
  port?: number | string | undefined;
  /** Names, or name:port, that requests may give as Host besides the loopback ones. */
  allowedHosts?: string[] | undefined;
  /** Origins whose pages may use the daemon besides its own. */
  allowedOrigins?: string[] | undefined;
  maxConnections?: number | undefined;
  /** From LUKHAS_MCP_API_KEYS. */
  apiKeys: string[];
}

export type ServeSettings = ServeConfig & { host: string; port: number };

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8766;

/**
 * Where the daemon listens. Strongest first: flags, environment, file.
 * @throws LukhasError USAGE, CONFIG
 */
export function serveSettings(
  config: ServeConfig,
  flags: { host?: string | undefined; port?: string | undefined },
): ServeSettings {
  const port =
    flags.port === undefined
      ? portOf(config.port ?? DEFAULT_PORT, 'PORT', 'CONFIG')
      : portOf(flags.port, '--port', 'USAGE');
  return { ...config, host: flags.host ?? config.host ?? DEFAULT_HOST, port };
}

function portOf(given: number | string, what: string, code: 'USAGE' | 'CONFIG'): number {
  const port = Number(given);
  if (/^\d{1,5}$/.test(String(given)) && port <= 65_535) return port;
  throw new LukhasError(
    code,
    `${what}: expected a port, 0 to 65535 (0: any that is free), got ${JSON.stringify(given)}`,
  );
}

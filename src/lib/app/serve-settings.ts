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
  /** Where people reach it, for links: with http(s)://, without a slash at the end; it may have a path. */
  publicUrl?: string | undefined;
  /** Texts when they come from the environment. */
  rateLimit?: { bucket?: number | string | undefined; windowMs?: number | string | undefined } | undefined;
  /** From LUKHAS_MCP_API_KEYS. */
  apiKeys: string[];
}

export type ServeSettings = Omit<ServeConfig, 'rateLimit'> & {
  host: string;
  port: number;
  /** Left out: none. */
  rateLimit?: { bucket: number; windowMs: number };
};

const MOST_REQUESTS = 1_000_000;
const LONGEST_WINDOW_MS = 86_400_000;

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 8766;

/**
 * Where the daemon listens, and how much it takes. Strongest first: flags, environment, file.
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
  const { rateLimit, ...rest } = config;
  return { ...rest, ...limitOf(rateLimit), host: flags.host ?? config.host ?? DEFAULT_HOST, port };
}

function limitOf({ bucket, windowMs }: NonNullable<ServeConfig['rateLimit']> = {}): Pick<ServeSettings, 'rateLimit'> {
  if (bucket === undefined && windowMs === undefined) return {};
  const rateLimit = {
    bucket: countOf(bucket, 'MCP_RL_BUCKET', MOST_REQUESTS),
    windowMs: countOf(windowMs, 'MCP_RL_WINDOW_MS', LONGEST_WINDOW_MS),
  };
  return { rateLimit };
}

function countOf(given: number | string | undefined, what: string, most: number): number {
  if (given === undefined)
    throw new LukhasError('CONFIG', `${what} is not set: MCP_RL_BUCKET and MCP_RL_WINDOW_MS must be set together`, {
      suggestions: ['Set both, e.g. MCP_RL_BUCKET=60 and MCP_RL_WINDOW_MS=10000, or neither.'],
    });
  const count = Number(given);
  if (/^\d{1,8}$/.test(String(given)) && count >= 1 && count <= most) return count;
  throw new LukhasError('CONFIG', `${what} ${JSON.stringify(given)}: must be a whole number from 1 to ${most}`);
}

function portOf(given: number | string, what: string, code: 'USAGE' | 'CONFIG'): number {
  const port = Number(given);
  if (/^\d{1,5}$/.test(String(given)) && port <= 65_535) return port;
  throw new LukhasError(code, `${what} ${JSON.stringify(given)}: must be a port from 0 to 65535 (0: any free port)`);
}

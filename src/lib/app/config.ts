import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { LukhasError } from '../errors.js';
import type { Publication } from '../evidence/publish/index.js';
import type { HooksConfig } from '../gates/index.js';
import type { TasksConfig } from '../jobs/index.js';
import type { Actor } from '../ledger/index.js';
import {
  ALL_SERIES,
  type ArmsConfig,
  BY_GATE,
  DEFAULT_SIGNALS,
  PROMETHEUS_DEFAULTS,
  type SignalsConfig,
  type SourceAuth,
  type SourceDescriptor,
} from '../metrics/index.js';
import { configFiles, type Env, fromWorkingDirectory, readFiles, text } from './config-files.js';
import type { FileConfig } from './config-schema.js';
import { type DatabaseConfig, DEFAULT_DATABASE_CONFIG } from './database-settings.js';
import { evidencePlaces } from './evidence-places.js';
import type { ServeConfig } from './serve-settings.js';
import { sourceCredentials } from './source-credentials.js';
import type { CredentialNames, FileSource } from './source-schema.js';

/** Everything a command takes from its surroundings. Paths are absolute. */
export interface Config {
  /** Empty when the working directory was deleted: whatever is relative to it cannot be resolved then. */
  cwd: string;
  dbPath: string;
  policyPath: string | null;
  /** `{kind: 'none'}` when nothing is configured. */
  source: SourceDescriptor;
  /** How the series of the arms are told apart, if a file says so. */
  arms: ArmsConfig | null;
  /** What is counted, for a source that a flag names. */
  signals: SignalsConfig;
  /** Secrets of each kind of source: from the environment only, and never recorded. */
  sourceAuth: Readonly<Record<SourceWithAuth, SourceAuth>>;
  /** What a file names for their credentials: variables and files, no secrets. */
  credentialNames: Readonly<Record<SourceWithAuth, CredentialNames>>;
  /** Variables that the configuration names for their credentials but the environment does not set. */
  missingEnv: Readonly<Record<SourceWithAuth, string[]>>;
  /** Expressions of PROM_Q_*, by the scalar they give, for a Prometheus that a flag names. */
  promQueries: Record<string, string>;
  hooks: HooksConfig;
  /** What jobs run, by name. */
  tasks: TasksConfig;
  /** How many jobs one process runs at a time. */
  jobs: { concurrency: number };
  /** Maintenance, retention and backups of the database. */
  database: DatabaseConfig;
  /** Whether a model may be promoted only on what a canary has proved. */
  promotion: { requireCanary: boolean };
  /** As given: `serveSettings` checks it when there is a daemon to start. */
  serve: ServeConfig;
  /** Files of the private keys that sign checkpoints and packs; what the log is called, null: after its key. */
  keys: {
    log: string;
    export: string;
    origin: string | null;
    /** Those that the environment or the configuration names; the others are in their usual place beside the database. */
    named: { log: boolean; export: boolean };
  };
  /** Whom checkpoints of the log are told to. */
  evidence: Publication;
  /** Who runs this command. */
  actor: Actor;
  /** Configuration files that were read, strongest first. */
  files: string[];
  /** Path of the file that each section of the configuration is from, e.g. that of `hooks`; none for what no file has. */
  sections: Readonly<Record<string, string>>;
}

export type SourceWithAuth = 'scrape' | 'prometheus';

export interface ConfigInput {
  flags?: { db?: string | undefined; config?: string | undefined };
  /** The command's flag that names a configuration file, for messages; `--config`. */
  configFlag?: string;
  env?: Env;
  cwd?: string;
}

/**
 * The only place that reads the environment and the working directory.
 * Strongest first: flags, environment, project file (`--config`, or lukhas.yaml in the working directory or the
 * nearest directory above it within the repository or home), user file. A stronger file replaces whole sections.
 * @throws LukhasError CONFIG: file, key, what to do
 */
export async function loadConfig(input: ConfigInput = {}): Promise<Config> {
  const env = input.env ?? environment();
  const cwd = input.cwd === undefined ? workingDirectory() : resolve(input.cwd);
  const home = text(env, 'HOME') ?? homeOfAccount();
  const flags = input.flags ?? {};
  const found = await configFiles(flags.config, cwd, home, env);
  const { config: file, sections } = await readFiles(found, home, env, input.configFlag);
  const dbPath = fromWorkingDirectory(() => databasePath(flags.db, env, file, cwd));
  return {
    cwd,
    dbPath,
    policyPath: file.policy ?? null,
    ...(await sourceOf(file, env, cwd)),
    hooks: file.hooks ?? { promote: [], rollback: [] },
    tasks: file.tasks ?? {},
    jobs: file.jobs ?? { concurrency: 2 },
    database: file.database ?? DEFAULT_DATABASE_CONFIG,
    promotion: file.promotion ?? { requireCanary: true },
    serve: serveOf(file, env),
    keys: keysOf(file, env, cwd, evidencePlaces(dbPath).keys),
    evidence: file.evidence ?? { witnesses: [], anchors: [] },
    actor: actorOf(env),
    files: [found.project?.path ?? null, found.user].filter((path) => path !== null),
    sections,
  };
}

/** Empty when it was deleted; a path that is resolved against it is refused then, unless it is absolute. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '';
  }
}

/** Where nobody says which it is, it is not looked for. */
function homeOfAccount(): string {
  try {
    return homedir();
  } catch {
    return '/nonexistent';
  }
}

/** What programs that we start inherit. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}

function databasePath(flag: string | undefined, env: Env, file: FileConfig, cwd: string): string {
  const given = flag ?? text(env, 'LUKHAS_MCP_DB');
  if (given === '') throw new LukhasError('USAGE', '--db: no path given');
  return given === undefined ? (file.db ?? resolve(cwd, '.lukhas', 'lukhas.db')) : resolve(cwd, given);
}

type SourceConfig = Pick<
  Config,
  'source' | 'arms' | 'signals' | 'sourceAuth' | 'credentialNames' | 'missingEnv' | 'promQueries'
>;

/** The environment's address makes Prometheus the source; its queries join those of a Prometheus in a file. */
async function sourceOf(file: FileConfig, env: Env, cwd: string): Promise<SourceConfig> {
  const configured = file.source?.kind === 'prometheus' ? file.source : null;
  const url = text(env, 'PROM_URL')?.trim() ?? configured?.url ?? null;
  const set = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('PROM_') && value !== ''),
  );
  // A flag may still name the address, so queries and credentials are read without one too.
  const read =
    url === null && Object.keys(set).length === 0
      ? null
      : (await import('../metrics/prometheus/config.js')).prometheusFromEnv({ ...set, PROM_URL: url ?? 'unset' });
  const promQueries = { ...configured?.queries, ...read?.config.queries };
  const named = file.credentials ?? {};
  const credentialNames = {
    scrape: file.source?.kind === 'scrape' ? named : {},
    prometheus: configured === null ? {} : named,
  };
  const scrape = sourceCredentials(credentialNames.scrape, {}, env, cwd);
  const prometheus = sourceCredentials(credentialNames.prometheus, read?.auth ?? {}, env, cwd);
  const signals = file.signals ?? DEFAULT_SIGNALS;
  const arms = file.arms ?? null;
  return {
    source:
      url === null
        ? withSignals(file.source ?? { kind: 'none' }, arms, signals)
        : {
            ...PROMETHEUS_DEFAULTS,
            ...(arms && { arms }),
            signals,
            ...configured,
            kind: 'prometheus',
            url,
            queries: promQueries,
          },
    arms,
    signals,
    promQueries,
    sourceAuth: { scrape: scrape.auth, prometheus: prometheus.auth },
    credentialNames,
    missingEnv: { scrape: scrape.missing, prometheus: prometheus.missing },
  };
}

function withSignals(source: FileSource, arms: ArmsConfig | null, signals: SignalsConfig): SourceDescriptor {
  switch (source.kind) {
    case 'scrape':
      return { ...source, arms: arms ?? ALL_SERIES, signals };
    case 'prometheus':
      return { ...source, arms: arms ?? BY_GATE, signals };
    default:
      return source;
  }
}

/** Credentials that belong to a source: those of another kind are not sent to it. */
export function authOf({ sourceAuth }: Pick<Config, 'sourceAuth'>, { kind }: SourceDescriptor): SourceAuth {
  return kind === 'scrape' || kind === 'prometheus' ? sourceAuth[kind] : {};
}

/** PORT is set in many an environment for other programs: what stands in these variables is asked only by the daemon. */
function serveOf(file: FileConfig, env: Env): ServeConfig {
  const port = text(env, 'PORT');
  const keys = text(env, 'LUKHAS_MCP_API_KEYS');
  const [bucket, windowMs] = [text(env, 'MCP_RL_BUCKET'), text(env, 'MCP_RL_WINDOW_MS')];
  const rateLimit = {
    ...file.serve?.rateLimit,
    ...(bucket === undefined ? {} : { bucket }),
    ...(windowMs === undefined ? {} : { windowMs }),
  };
  return {
    ...file.serve,
    ...(port === undefined ? {} : { port }),
    ...(Object.keys(rateLimit).length === 0 ? {} : { rateLimit }),
    apiKeys: keys === undefined ? [] : keys.split(',').map((key) => key.trim()),
  };
}

/** Beside the database unless told otherwise: never in it. */
function keysOf({ keys = {} }: FileConfig, env: Env, cwd: string, folder: string): Config['keys'] {
  const named = (variable: string, configured: string | undefined) => {
    const given = text(env, variable);
    return given === undefined ? configured : resolve(cwd, given);
  };
  const log = named('LUKHAS_LOG_KEY_FILE', keys.log);
  const exporting = named('LUKHAS_EXPORT_KEY_FILE', keys.export);
  return {
    log: log ?? join(folder, 'log.pem'),
    export: exporting ?? join(folder, 'export.pem'),
    origin: keys.origin ?? null,
    named: { log: log !== undefined, export: exporting !== undefined },
  };
}

function actorOf(env: Env): Actor {
  // Only root has it from sudo for certain: anybody else can set the variable, and approve as somebody else.
  const sudo = process.getuid?.() === 0 ? text(env, 'SUDO_USER') : undefined;
  // As useradd takes names: nothing that looks like another one when it is printed.
  if (sudo !== undefined && !/^[a-z_][a-z0-9_.@-]*\$?$/i.test(sudo))
    throw new LukhasError('CONFIG', `SUDO_USER: ${JSON.stringify(sudo)} is not a valid account name`);
  return { who: sudo === undefined ? accountName() : `${sudo} (sudo)`, how: 'os-user' };
}

/** In a container the account may have a number but no name. */
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

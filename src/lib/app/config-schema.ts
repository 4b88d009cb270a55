import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { LukhasError } from '../errors.js';
import type { Publication } from '../evidence/publish/index.js';
import { evidenceSchema } from '../evidence/publish/index.js';
import { MOST_SETTINGS, readLimited } from '../files/index.js';
import type { HooksConfig } from '../gates/index.js';
import { hooksSchema, placedHooks } from '../gates/index.js';
import { parseInput, parseText } from '../input/index.js';
import { jobsSchema, type TasksConfig, tasksSchema } from '../jobs/index.js';
import type { ArmsConfig, SignalsConfig } from '../metrics/index.js';
import { databaseOf, databaseSchema } from './database-schema.js';
import type { DatabaseConfig } from './database-settings.js';
import type { ServeConfig } from './serve-settings.js';
import {
  armsInput,
  type CredentialNames,
  type FileSource,
  refuseFormer,
  signalsSection,
  sourceSchema,
  splitSource,
} from './source-schema.js';

/** What one configuration file says, its paths made absolute. */
export interface FileConfig {
  db?: string;
  policy?: string;
  source?: FileSource;
  credentials?: CredentialNames;
  arms?: ArmsConfig;
  signals?: SignalsConfig;
  hooks?: HooksConfig;
  tasks?: TasksConfig;
  jobs?: { concurrency: number };
  database?: DatabaseConfig;
  promotion?: { requireCanary: boolean };
  serve?: Omit<ServeConfig, 'apiKeys'>;
  keys?: { log?: string | undefined; export?: string | undefined; origin?: string | undefined };
  evidence?: Publication;
  /** Of the user's file only: folders whose configuration files are used, whoever owns them; `*`: all. */
  trustedFolders?: string[];
}

/** Keys are secrets: they stand in the environment. */
const serve = z.strictObject({
  host: z.string().min(1).optional(),
  port: z.int().min(0).max(65_535).optional(),
  allowedHosts: z
    .array(z.string().regex(/^[\w.-]+(:\d+)?$/, 'must be a host name or name:port, without http://'))
    .optional(),
  allowedOrigins: z
    .array(
      z
        .string()
        .regex(/^https?:\/\/[\w.-]+(:\d+)?$/, 'must be an origin such as https://ops.example.com, without a path'),
    )
    .optional(),
  maxConnections: z.int().min(1).max(1_000_000).optional(),
  publicUrl: z
    .string()
    .regex(
      /^https?:\/\/[\w.-]+(:\d+)?(\/[\w.~/-]*)?$/,
      'must be an address such as https://ops.example.com/lukhas, without a query',
    )
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  rateLimit: z
    .strictObject({ bucket: z.int().min(1).max(1_000_000), windowMs: z.int().min(1).max(86_400_000) })
    .optional(),
});

/** Files; the keys themselves stand nowhere in the configuration. */
const keys = z.strictObject({
  log: z.string().min(1).optional(),
  export: z.string().min(1).optional(),
  origin: z
    .string()
    .regex(/^[^\s\p{C}+]{1,200}$/u, 'must be a name without spaces and +, e.g. example.com/lukhas')
    .optional(),
});

const configSchema = z.strictObject({
  db: z.string().min(1).optional(),
  policy: z.string().min(1).optional(),
  source: sourceSchema.optional(),
  arms: armsInput.optional(),
  signals: signalsSection.optional(),
  hooks: hooksSchema.optional(),
  tasks: tasksSchema.optional(),
  jobs: jobsSchema.optional(),
  database: databaseSchema.optional(),
  promotion: z.strictObject({ requireCanary: z.boolean().default(true) }).optional(),
  serve: serve.optional(),
  keys: keys.optional(),
  evidence: evidenceSchema.optional(),
  trustedFolders: z
    .array(z.string().regex(/^(\*|~?\/.*)$/, 'must be an absolute path, or "*" for all folders'))
    .optional(),
});

/**
 * Reads one configuration file; relative paths in it are relative to it, and `~/` is `home`.
 * @param isUsers whether it is the user's own file, which alone says whom to trust
 * @param content what it says, if it was read already
 * @throws LukhasError CONFIG that names the file and the key
 */
export async function readConfigFile(
  file: string,
  home: string,
  isUsers = false,
  content: string | null = null,
): Promise<FileConfig> {
  const input = await parseText(content ?? (await readText(file)), file, 'CONFIG');
  await refuseFormer(input, file);
  const given = parseInput(configSchema, input ?? {}, file, 'CONFIG');
  const { trustedFolders: trusted } = given;
  if (trusted !== undefined && !isUsers) throw notUsers(file);
  const {
    db,
    policy,
    source,
    arms,
    signals,
    hooks,
    tasks,
    jobs,
    database,
    promotion,
    serve: served,
    keys: signing,
    evidence,
  } = given;
  const absolute: Absolute = (path) => resolve(dirname(file), path.startsWith('~/') ? home + path.slice(1) : path);
  return {
    ...(db === undefined ? {} : { db: absolute(db) }),
    ...(policy === undefined ? {} : { policy: absolute(policy) }),
    ...(source === undefined ? {} : splitSource(source, absolute)),
    ...(arms === undefined ? {} : { arms }),
    ...(signals === undefined ? {} : { signals }),
    ...(hooks === undefined ? {} : { hooks: placedHooks(hooks, absolute) }),
    ...(tasks === undefined ? {} : { tasks: inDirectory(tasks, absolute) }),
    ...(jobs === undefined ? {} : { jobs }),
    ...(database === undefined ? {} : { database: databaseOf(database, absolute) }),
    ...(promotion === undefined ? {} : { promotion }),
    ...(served === undefined ? {} : { serve: served }),
    ...(signing === undefined ? {} : { keys: placed(signing, absolute) }),
    ...(evidence === undefined ? {} : { evidence: publicationOf(evidence, absolute) }),
    ...(trusted === undefined ? {} : { trustedFolders: trusted.map((each) => (each === '*' ? each : absolute(each))) }),
  };
}

/** A project's file would vouch for itself. */
function notUsers(file: string): LukhasError {
  return new LukhasError('CONFIG', `${file}: trustedFolders: can only be set in your own configuration`, {
    suggestions: ['Put it into ~/.config/lukhas/config.yaml.'],
  });
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer | null;
  try {
    bytes = await readLimited(file, MOST_SETTINGS);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'file not found' : `cannot be read (${code})`;
    throw new LukhasError('CONFIG', `${file}: ${why}`, { cause });
  }
  if (bytes === null) throw new LukhasError('CONFIG', `${file}: too long: more than ${MOST_SETTINGS} bytes`);
  return bytes.toString();
}

type Absolute = (path: string) => string;

function placed({ log, export: exporting, origin }: z.output<typeof keys>, absolute: Absolute) {
  return { log: log && absolute(log), export: exporting && absolute(exporting), origin };
}

function publicationOf({ witnesses, anchors }: z.output<typeof evidenceSchema>, absolute: Absolute): Publication {
  return {
    witnesses: witnesses.map(({ url: address, vkey }) => ({ url: address, key: vkey })),
    anchors: anchors.map((target) => {
      if (target.kind === 'file') return { ...target, path: absolute(target.path) };
      if (target.kind === 'tsa') return { ...target, caFile: absolute(target.caFile) };
      if (target.kind !== 'git') return target;
      const key = target.signingKey === undefined ? {} : { signingKey: absolute(target.signingKey) };
      return { ...target, repository: absolute(target.repository), ...key };
    }),
  };
}

/** Tasks run where their file is, as hooks do. */
function inDirectory(tasks: TasksConfig, absolute: Absolute): TasksConfig {
  return Object.fromEntries(
    Object.entries(tasks).map(([id, task]) => [id, { ...task, cwd: absolute(task.cwd ?? '.') }]),
  );
}

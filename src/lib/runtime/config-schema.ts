import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { LukhasError } from '../errors.js';
import type { HooksConfig } from '../gates/hook.js';
import { hooksSchema } from '../gates/hook-schema.js';
import { parseInput } from '../input/problems.js';
import { parseText } from '../input/text.js';
import { DEFAULT_METRICS, PROMETHEUS_DEFAULTS, SOURCE_TIMEOUT_MS, type SourceDescriptor } from '../metrics/source.js';
import { sourceUrlProblem } from './source-url.js';

/** What one configuration file says, its paths made absolute. */
export interface FileConfig {
  db?: string;
  policy?: string;
  source?: SourceDescriptor;
  /** Names of environment variables that hold the source's credentials, and the file of its certificate authority. */
  credentials?: CredentialNames;
  hooks?: HooksConfig;
}

export interface CredentialNames {
  bearerEnv?: string;
  basic?: { usernameEnv: string; passwordEnv: string };
  caFile?: string;
}

const labels = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a label name is letters, digits and _'),
  z.string({ error: 'a label value is text: put it in quotes' }),
);

const metricName = z.string().min(1);

const metrics = z
  .strictObject({
    latency: metricName.default(DEFAULT_METRICS.latency),
    latencyUnit: z.enum(['s', 'ms']).default(DEFAULT_METRICS.latencyUnit),
    requests: metricName.default(DEFAULT_METRICS.requests),
    requestLabels: labels.default(DEFAULT_METRICS.requestLabels),
    errors: metricName.default(DEFAULT_METRICS.errors),
    errorLabels: labels.default(DEFAULT_METRICS.errorLabels),
    errorsAbsent: z.enum(['no_data', 'zero']).default(DEFAULT_METRICS.errorsAbsent),
    score: metricName.nullable().default(DEFAULT_METRICS.score),
    inflight: metricName.nullable().default(DEFAULT_METRICS.inflight),
  })
  .prefault({});

const url = z.string().superRefine((text, context) => {
  const message = sourceUrlProblem(text);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'names an environment variable; it does not hold the secret itself');

const timeoutMs = z.int().min(1).max(600_000).default(SOURCE_TIMEOUT_MS);

const source = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('prometheus'),
      url,
      labels: labels.default(PROMETHEUS_DEFAULTS.labels),
      metrics,
      queries: z.record(z.string(), z.string().min(1)).default({}),
      timeoutMs,
      staleSeconds: z.number().positive().default(PROMETHEUS_DEFAULTS.staleSeconds),
      bearerEnv: variable.optional(),
      basic: z.strictObject({ usernameEnv: variable, passwordEnv: variable }).optional(),
      caFile: z.string().min(1).optional(),
    })
    .refine(({ bearerEnv, basic }) => bearerEnv === undefined || basic === undefined, {
      path: ['basic'],
      error: 'and bearerEnv are both given; a request carries one of them',
    }),
  z.strictObject({
    kind: z.literal('scrape'),
    canaryUrl: url,
    baselineUrl: url.nullable().default(null),
    canaryLabels: labels.default({}),
    baselineLabels: labels.default({}),
    metrics,
    timeoutMs,
  }),
  z.strictObject({ kind: z.literal('ndjson'), input: z.string().min(1) }),
  z.strictObject({ kind: z.literal('none') }),
]);

const configSchema = z.strictObject({
  db: z.string().min(1).optional(),
  policy: z.string().min(1).optional(),
  source: source.optional(),
  hooks: hooksSchema.optional(),
});

/**
 * Reads one configuration file; relative paths in it are relative to it, and `~/` is `home`.
 * @throws LukhasError CONFIG that names the file and the key
 */
export async function readConfigFile(file: string, home: string): Promise<FileConfig> {
  const input = await parseText(await readText(file), file, 'CONFIG');
  const { db, policy, source, hooks } = parseInput(configSchema, input ?? {}, file, 'CONFIG');
  const absolute: Absolute = (path) => resolve(dirname(file), path.startsWith('~/') ? home + path.slice(1) : path);
  return {
    ...(db === undefined ? {} : { db: absolute(db) }),
    ...(policy === undefined ? {} : { policy: absolute(policy) }),
    ...(source === undefined ? {} : splitSource(source, absolute)),
    ...(hooks === undefined ? {} : { hooks: withDirectory(hooks, absolute) }),
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`;
    throw new LukhasError('CONFIG', `${file}: ${why}`, { cause });
  }
}

type Absolute = (path: string) => string;

/** What is recorded of a source, apart from what is not. */
function splitSource(given: z.output<typeof source>, absolute: Absolute): Pick<FileConfig, 'source' | 'credentials'> {
  if (given.kind === 'ndjson') {
    return { source: { ...given, input: given.input === '-' ? '-' : absolute(given.input) } };
  }
  if (given.kind !== 'prometheus') return { source: given };
  const { bearerEnv, basic, caFile, ...descriptor } = given;
  return {
    source: descriptor,
    credentials: {
      ...(bearerEnv === undefined ? {} : { bearerEnv }),
      ...(basic === undefined ? {} : { basic }),
      ...(caFile === undefined ? {} : { caFile: absolute(caFile) }),
    },
  };
}

/** Hooks run where their file is, so that `./promote.sh` means the same from every directory. */
function withDirectory(hooks: HooksConfig, absolute: Absolute): HooksConfig {
  const place = (list: HooksConfig['promote']) =>
    list.map((hook) =>
      'exec' in hook ? { ...hook, exec: { ...hook.exec, cwd: absolute(hook.exec.cwd ?? '.') } } : hook,
    );
  return { promote: place(hooks.promote), rollback: place(hooks.rollback) };
}

import * as z from 'zod';
import { LukhasError } from '../errors.js';
import { isUrl, maskUrls, urlProblem, yamlText } from '../input/index.js';
import type { PrometheusConfig, ScrapeConfig } from '../metrics/index.js';
import {
  armInput,
  FORMER_KEYS,
  PROMETHEUS_DEFAULTS,
  PROMETHEUS_URL,
  pageUrl,
  rewritten,
  SCRAPE_URL,
  SOURCE_TIMEOUT_MS,
  signalsWithPresets,
  unknownMetrics,
} from '../metrics/index.js';

/** A source as one file says it: what is counted, and how the arms are told apart, stands beside it. */
export type FileSource =
  | { kind: 'none' }
  | { kind: 'ndjson'; input: string }
  | ({ kind: 'scrape' } & Omit<ScrapeConfig, 'arms' | 'signals'>)
  | ({ kind: 'prometheus' } & Omit<PrometheusConfig, 'arms' | 'signals'>);

/** Names of environment variables that hold a source's credentials, and files that are none of a secret by themselves. */
export interface CredentialNames {
  bearerEnv?: string;
  basic?: { usernameEnv: string; passwordEnv: string };
  caFile?: string;
  cert?: { certFile: string; keyFile: string };
  /** By the header's name. */
  headersEnv?: Record<string, string>;
}

const page = z.string().superRefine((text, context) => {
  const message = urlProblem(pageUrl(text), SCRAPE_URL);
  if (message !== null) context.addIssue({ code: 'custom', message });
});
const pages = z.array(page).min(1);

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable, not the secret itself');

const file = z.string().min(1);

const credentials = {
  bearerEnv: variable.optional(),
  basic: z.strictObject({ usernameEnv: variable, passwordEnv: variable }).optional(),
  caFile: file.optional(),
  cert: z.strictObject({ certFile: file, keyFile: file }).optional(),
  headersEnv: z
    .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of a header'), variable)
    .optional(),
};

const timeoutMs = z.int().min(1).max(600_000).default(SOURCE_TIMEOUT_MS);

/** The section `source`. */
export const sourceSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('prometheus'),
      url: z.string().superRefine(isUrl(PROMETHEUS_URL)),
      queries: z.record(z.string(), z.string().min(1)).default({}),
      timeoutMs,
      staleSeconds: z.number().positive().default(PROMETHEUS_DEFAULTS.staleSeconds),
      ...credentials,
    }),
    z.strictObject({
      kind: z.literal('scrape'),
      canaryUrl: page.optional(),
      canaryUrls: pages.optional(),
      baselineUrl: page.nullish(),
      baselineUrls: pages.nullish(),
      timeoutMs,
      ...credentials,
    }),
    z.strictObject({ kind: z.literal('ndjson'), input: z.string().min(1) }),
    z.strictObject({ kind: z.literal('none') }),
  ])
  .superRefine((source, context) => {
    const problem = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if (!('timeoutMs' in source)) return;
    const authorization = Object.keys(source.headersEnv ?? {}).some((name) => name.toLowerCase() === 'authorization');
    if (source.bearerEnv !== undefined && source.basic !== undefined)
      problem('basic', 'cannot be combined with bearerEnv');
    if (authorization && (source.bearerEnv !== undefined || source.basic !== undefined))
      problem('headersEnv', 'Authorization cannot be combined with bearerEnv or basic');
    if (source.kind !== 'scrape') return;
    if (source.canaryUrl === undefined && source.canaryUrls === undefined) problem('canaryUrl', 'is missing');
    for (const [one, several] of [
      ['canaryUrl', 'canaryUrls'],
      ['baselineUrl', 'baselineUrls'],
    ] as const)
      if (source[one] != null && source[several] != null)
        problem(several, `cannot be combined with ${one}: put all of them into ${several}`);
  });

/** The section `arms`; a baseline that is not named is every series. */
export const armsInput = z
  .strictObject({ canary: armInput, baseline: armInput.optional() })
  .transform(({ canary, baseline = '{}' }) => ({ canary, baseline }));

/** The section `signals`. */
export const signalsSection = signalsWithPresets;

/** What is recorded of a source, apart from what is not. */
export function splitSource(
  given: z.output<typeof sourceSchema>,
  absolute: (path: string) => string,
): { source: FileSource; credentials?: CredentialNames } {
  if (given.kind === 'none') return { source: given };
  if (given.kind === 'ndjson')
    return { source: { ...given, input: given.input === '-' ? '-' : absolute(given.input) } };
  const { bearerEnv, basic, caFile, cert, headersEnv, ...rest } = given;
  const names: CredentialNames = {
    ...(bearerEnv === undefined ? {} : { bearerEnv }),
    ...(basic === undefined ? {} : { basic }),
    ...(caFile === undefined ? {} : { caFile: absolute(caFile) }),
    ...(cert === undefined ? {} : { cert: { certFile: absolute(cert.certFile), keyFile: absolute(cert.keyFile) } }),
    ...(headersEnv === undefined ? {} : { headersEnv }),
  };
  if (rest.kind === 'prometheus') return { source: rest, credentials: names };
  const { canaryUrl, canaryUrls, baselineUrl, baselineUrls, ...scrape } = rest;
  const listed = (one: string | null | undefined, several: readonly string[] | null | undefined) =>
    several ?? (one == null ? null : [one]);
  return {
    source: {
      ...scrape,
      canaryUrls: listed(canaryUrl, canaryUrls) ?? [],
      baselineUrls: listed(baselineUrl, baselineUrls),
    },
    credentials: names,
  };
}

/**
 * Refuses a file whose source is in the form before there were signals, and says what to write instead.
 * @throws LukhasError CONFIG
 */
export async function refuseFormer(input: unknown, file: string): Promise<void> {
  const source = (input as { source?: unknown } | null)?.source;
  if (typeof source !== 'object' || source === null) return;
  const keys = FORMER_KEYS.filter((key) => key in source);
  if (keys.length === 0) return;
  const form = maskUrls(await yamlText(rewritten(source as Record<string, unknown>)));
  const named = keys.map((key) => `source.${key}`).join(', ');
  const unknown = unknownMetrics(source as Record<string, unknown>).map((key) => `source.metrics.${key}`);
  const lacks = unknown.length === 0 ? '' : ` (without ${unknown.join(', ')}, which was not a known key)`;
  throw new LukhasError(
    'CONFIG',
    `${file}: ${named}: replaced by the sections arms and signals; write this in place of source${lacks}:\n\n${form}`,
  );
}

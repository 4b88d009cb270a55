import { resolve } from 'node:path';
import type { Config } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { parseUrl, type UrlRules } from '../lib/input/index.js';
import {
  ALL_SERIES,
  BY_GATE,
  equal,
  PROMETHEUS_DEFAULTS,
  PROMETHEUS_URL,
  pageUrl,
  SCRAPE_URL,
  type ScrapeConfig,
  SOURCE_TIMEOUT_MS,
  type SourceDescriptor,
  writeMatchers,
} from '../lib/metrics/index.js';

/** Flags of `canary start` that say where measurements come from, as oclif gives them. */
export interface SourceFlags {
  source?: string | undefined;
  'prom-url'?: string | undefined;
  'canary-url'?: string | undefined;
  'baseline-url'?: string | undefined;
  'canary-label'?: readonly string[] | undefined;
  'baseline-label'?: readonly string[] | undefined;
  input?: string | undefined;
}

type FlagName = Exclude<keyof SourceFlags, 'source'>;

/** Which kind of source each flag belongs to. */
const KIND_OF: Readonly<Record<FlagName, 'prometheus' | 'scrape' | 'ndjson'>> = {
  'prom-url': 'prometheus',
  'canary-url': 'scrape',
  'baseline-url': 'scrape',
  'canary-label': 'scrape',
  'baseline-label': 'scrape',
  input: 'ndjson',
};

/**
 * The source that the flags and the configuration name together: flags win, key by key within the same kind;
 * without any of these flags it is the configuration's.
 * @throws LukhasError USAGE for flags that are missing, contradict each other, or cannot be read;
 *   CONFIG when the chosen source needs a credential whose environment variable is not set
 */
export function sourceFromFlags(flags: SourceFlags, config: Config): SourceDescriptor {
  const source = chosenSource(flags, config);
  const missing = source.kind === 'scrape' || source.kind === 'prometheus' ? config.missingEnv[source.kind] : [];
  if (missing.length > 0) {
    const names = missing.join(', ');
    throw new LukhasError('CONFIG', `source: the credentials are in ${names}, which is not set in the environment`);
  }
  return source;
}

function chosenSource(flags: SourceFlags, config: Config): SourceDescriptor {
  switch (chosenKind(flags)) {
    case null:
      return config.source;
    case 'none':
      return { kind: 'none' };
    case 'prometheus':
      return prometheus(flags, config);
    case 'scrape':
      return scrape(flags, config);
    case 'ndjson':
      return ndjson(flags, config);
  }
}

type Kind = SourceDescriptor['kind'];

function chosenKind(flags: SourceFlags): Kind | null {
  const given = (Object.keys(KIND_OF) as FlagName[]).filter((name) => isGiven(flags[name]));
  const wanted = flags.source ?? (given[0] === undefined ? null : KIND_OF[given[0]]);
  if (wanted === null) return null;
  if (!isKind(wanted)) {
    throw usage(`--source ${wanted}: must be one of prometheus, scrape, ndjson, none`);
  }
  const foreign = given.find((name) => KIND_OF[name] !== wanted);
  if (foreign !== undefined) {
    const because = flags.source === undefined ? `--${given[0]}` : `--source ${wanted}`;
    throw usage(
      `--${foreign} needs --source ${KIND_OF[foreign]}, but ${because} selects ${wanted}: pass only one of them`,
    );
  }
  return wanted;
}

function isGiven(value: string | readonly string[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

function isKind(text: string): text is Kind {
  return ['prometheus', 'scrape', 'ndjson', 'none'].includes(text);
}

function prometheus(flags: SourceFlags, config: Config): SourceDescriptor {
  const configured = config.source.kind === 'prometheus' ? config.source : null;
  const url = address('prom-url', flags['prom-url'], PROMETHEUS_URL) ?? configured?.url;
  if (url === undefined) {
    throw usage('--source prometheus needs --prom-url URL (or PROM_URL, or source.url in lukhas.yaml)');
  }
  const { signals, arms } = config;
  return {
    ...PROMETHEUS_DEFAULTS,
    ...configured,
    kind: 'prometheus',
    url,
    arms: arms ?? BY_GATE,
    signals,
    queries: config.promQueries,
  };
}

function scrape(flags: SourceFlags, config: Config): SourceDescriptor {
  const configured: ScrapeConfig | null = config.source.kind === 'scrape' ? config.source : null;
  const canaryUrl = address('canary-url', flags['canary-url'], SCRAPE_URL);
  const canaryUrls = canaryUrl === undefined ? configured?.canaryUrls : [canaryUrl];
  if (canaryUrls === undefined) {
    throw usage('--source scrape needs --canary-url URL (or source.canaryUrl in lukhas.yaml)');
  }
  const arms = { ...(config.arms ?? ALL_SERIES) };
  const [canaryLabels, baselineLabels] = (['canary-label', 'baseline-label'] as const).map((flag) =>
    labels(flag, flags[flag]),
  );
  if (canaryLabels) arms.canary = writeMatchers(equal(canaryLabels));
  if (baselineLabels) arms.baseline = writeMatchers(equal(baselineLabels));
  const baselineUrl = address('baseline-url', flags['baseline-url'], SCRAPE_URL);
  const baselineUrls =
    baselineUrl === undefined ? (configured?.baselineUrls ?? (baselineLabels ? canaryUrls : null)) : [baselineUrl];
  if (baselineUrls?.some((url) => canaryUrls.includes(url)) && arms.canary === arms.baseline) {
    throw usage(
      'canary and baseline have the same address and labels; distinguish them, e.g. --canary-label version=v2 --baseline-label version=v1',
    );
  }
  const timeoutMs = configured?.timeoutMs ?? SOURCE_TIMEOUT_MS;
  return { kind: 'scrape', canaryUrls, baselineUrls, arms, signals: config.signals, timeoutMs };
}

function ndjson(flags: SourceFlags, config: Config): SourceDescriptor {
  if (isGiven(flags.input)) {
    return { kind: 'ndjson', input: flags.input === '-' ? '-' : resolve(config.cwd, flags.input!) };
  }
  if (config.source.kind === 'ndjson') return config.source;
  throw usage('--source ndjson needs --input FILE (- is standard input)');
}

function address(flag: FlagName, text: string | undefined, rules: UrlRules): string | undefined {
  if (text !== undefined) parseUrl(rules === SCRAPE_URL ? pageUrl(text) : text, `--${flag}`, 'USAGE', rules);
  return text;
}

function labels(flag: FlagName, texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  const pairs = texts.map((text) => {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw usage(`--${flag} ${JSON.stringify(text)}: must be name=value, e.g. version=v2`);
    }
    return [name, value] as const;
  });
  const names = pairs.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw usage(`--${flag} ${twice}: given twice, a label has one value`);
  return Object.fromEntries(pairs);
}

function usage(message: string): LukhasError {
  return new LukhasError('USAGE', message);
}

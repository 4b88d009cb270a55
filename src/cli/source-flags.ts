import { resolve } from 'node:path';
import type { Config } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { parseUrl, type UrlRules } from '../lib/input/index.js';
import {
  ALL_SERIES,
  type ArmsConfig,
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

/** Which kinds of source each flag belongs to. */
const KINDS_OF: Readonly<Record<FlagName, readonly Kind[]>> = {
  'prom-url': ['prometheus'],
  'canary-url': ['scrape'],
  'baseline-url': ['scrape'],
  'canary-label': ['scrape', 'prometheus'],
  'baseline-label': ['scrape', 'prometheus'],
  input: ['ndjson'],
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
  switch (chosenKind(flags, config)) {
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

function chosenKind(flags: SourceFlags, config: Config): Kind | null {
  const given = (Object.keys(KINDS_OF) as FlagName[]).filter((name) => isGiven(flags[name]));
  // A flag of one kind alone decides before labels, which several kinds have.
  const [first] = given.toSorted((a, b) => KINDS_OF[a].length - KINDS_OF[b].length);
  const wanted = flags.source ?? (first === undefined ? null : kindOf(first, config));
  if (wanted === null) return null;
  if (!isKind(wanted)) {
    throw usage(`--source ${wanted}: must be one of prometheus, scrape, ndjson, none`);
  }
  const foreign = given.find((name) => !KINDS_OF[name].includes(wanted));
  if (foreign !== undefined) {
    const because = flags.source === undefined ? `--${first}` : `--source ${wanted}`;
    throw usage(
      `--${foreign} needs --source ${KINDS_OF[foreign].join(' or ')}, but ${because} selects ${wanted}: pass only one of them`,
    );
  }
  return wanted;
}

/** Labels belong to the configured source where it has some. */
function kindOf(flag: FlagName, { source }: Config): Kind {
  const kinds = KINDS_OF[flag];
  return kinds.includes(source.kind) ? source.kind : kinds[0]!;
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
  const { signals, promQueries } = config;
  const label = (['canary-label', 'baseline-label'] as const).find((flag) => isGiven(flags[flag]));
  const [own] = Object.keys(promQueries);
  if (label !== undefined && own !== undefined)
    throw usage(`--${label} does not change the expression for ${own}: write the labels into it, or leave it out`);
  return {
    ...PROMETHEUS_DEFAULTS,
    ...configured,
    kind: 'prometheus',
    url,
    arms: armsOf(flags, config.arms ?? BY_GATE),
    signals,
    queries: promQueries,
  };
}

function scrape(flags: SourceFlags, config: Config): SourceDescriptor {
  const configured: ScrapeConfig | null = config.source.kind === 'scrape' ? config.source : null;
  const canaryUrl = address('canary-url', flags['canary-url'], SCRAPE_URL);
  const canaryUrls = canaryUrl === undefined ? configured?.canaryUrls : [canaryUrl];
  if (canaryUrls === undefined) {
    throw usage('--source scrape needs --canary-url URL (or source.canaryUrl in lukhas.yaml)');
  }
  const arms = armsOf(flags, config.arms ?? ALL_SERIES);
  const baselineUrl = address('baseline-url', flags['baseline-url'], SCRAPE_URL);
  const baselineUrls =
    baselineUrl === undefined
      ? (configured?.baselineUrls ?? (isGiven(flags['baseline-label']) ? canaryUrls : null))
      : [baselineUrl];
  if (baselineUrls?.some((url) => canaryUrls.includes(url)) && arms.canary === arms.baseline) {
    throw usage(
      'canary and baseline have the same address and labels; distinguish them, e.g. --canary-label version=v2 --baseline-label version=v1',
    );
  }
  const timeoutMs = configured?.timeoutMs ?? SOURCE_TIMEOUT_MS;
  return { kind: 'scrape', canaryUrls, baselineUrls, arms, signals: config.signals, timeoutMs };
}

/** Labels that are given replace all those of the arm. */
function armsOf(flags: SourceFlags, configured: ArmsConfig): ArmsConfig {
  const [canary, baseline] = (['canary-label', 'baseline-label'] as const).map((flag) => labels(flag, flags[flag]));
  return {
    canary: canary === undefined ? configured.canary : writeMatchers(equal(canary)),
    baseline: baseline === undefined ? configured.baseline : writeMatchers(equal(baseline)),
  };
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

import { Flags } from '@oclif/core';
import type { Origin } from '../lib/app/init/index.js';
import { LukhasError } from '../lib/errors.js';
import { parseDuration, parseUrl } from '../lib/input/index.js';
import { PROMETHEUS_URL, SCRAPE_URL } from '../lib/metrics/index.js';
import { number } from './policy-flags.js';

export const initFlags = {
  url: Flags.string({
    description: 'metrics page of the service, or of the canary',
    helpValue: 'URL',
    exclusive: ['prom-url'],
  }),
  'baseline-url': Flags.string({
    description: 'metrics page of the baseline, if it has its own',
    helpValue: 'URL',
    dependsOn: ['url'],
  }),
  'prom-url': Flags.string({ description: 'URL of Prometheus (or set PROM_URL)', helpValue: 'URL' }),
  selector: Flags.string({
    description: 'series of the service in Prometheus, e.g. \'{job="fraud"}\'',
    helpValue: 'LABELS',
    exclusive: ['url'],
  }),
  service: Flags.string({
    description: 'which of several services in Prometheus: its job, or what its labels app, service, ... say',
    helpValue: 'NAME',
    exclusive: ['url'],
  }),
  'bearer-env': Flags.string({
    description: 'environment variable that holds a bearer token for the page or the Prometheus',
    helpValue: 'VARIABLE',
  }),
  by: Flags.string({ description: 'label that tells the versions apart', helpValue: 'LABEL' }),
  'canary-label': Flags.string({
    description: "label that selects the canary's series (may be repeated)",
    helpValue: 'NAME=VALUE',
    multiple: true,
    exclusive: ['by', 'baseline-url'],
  }),
  'baseline-label': Flags.string({
    description: "label that selects the baseline's series (may be repeated)",
    helpValue: 'NAME=VALUE',
    multiple: true,
    dependsOn: ['canary-label'],
  }),
  measure: Flags.string({
    description: 'how long to measure the traffic of a page (default: 10s; of a Prometheus: its last 5 minutes)',
    helpValue: 'TIME',
  }),
  rps: Flags.string({
    description: 'traffic that the canary will get, in requests per second (default: as measured)',
    helpValue: 'RATE',
  }),
  yes: Flags.boolean({ char: 'y', default: false, description: 'ask nothing' }),
  force: Flags.boolean({ default: false, description: 'overwrite lukhas.yaml and slo.yaml' }),
  'dry-run': Flags.boolean({ default: false, description: 'print the files, write nothing' }),
};

export interface InitFlags {
  url?: string | undefined;
  'baseline-url'?: string | undefined;
  'prom-url'?: string | undefined;
  selector?: string | undefined;
  service?: string | undefined;
  'bearer-env'?: string | undefined;
  by?: string | undefined;
  'canary-label'?: string[] | undefined;
  'baseline-label'?: string[] | undefined;
  measure?: string | undefined;
  rps?: string | undefined;
}

/**
 * Where to look, as the flags have it; null: they name nothing.
 * @param where what gave the addresses, if not the flags
 * @throws LukhasError USAGE
 */
export function originFrom(flags: InitFlags, where?: string): Origin | null {
  if (flags.url !== undefined) {
    parseUrl(flags.url, where ?? '--url', 'USAGE', SCRAPE_URL);
    const baselineUrl = flags['baseline-url'] ?? null;
    if (baselineUrl !== null) parseUrl(baselineUrl, where ?? '--baseline-url', 'USAGE', SCRAPE_URL);
    if (baselineUrl === flags.url)
      throw new LukhasError('USAGE', `${where ?? '--baseline-url'}: must not be the page of the canary; leave it out`);
    return { kind: 'scrape', canaryUrl: flags.url, baselineUrl };
  }
  return flags['prom-url'] === undefined ? null : prometheusAt(flags['prom-url'], flags.selector ?? null, '--prom-url');
}

/** @param where what gave the address. @throws LukhasError USAGE */
export function prometheusAt(url: string, selector: string | null, where: string): Origin {
  parseUrl(url, where, 'USAGE', PROMETHEUS_URL);
  if (selector !== null && !/^\s*\{.*\}\s*$/s.test(selector))
    throw new LukhasError('USAGE', '--selector: must be labels in braces, e.g. \'{job="fraud"}\'');
  return { kind: 'prometheus', url, selector };
}

export interface Wishes {
  by?: string;
  canary?: Record<string, string>;
  baseline?: Record<string, string>;
}

export function wishesFrom(flags: InitFlags): Wishes {
  const { by } = flags;
  const canary = labels('canary-label', flags['canary-label']);
  const baseline = labels('baseline-label', flags['baseline-label']);
  return {
    ...(by === undefined ? {} : { by }),
    ...(canary === null ? {} : { canary }),
    ...(baseline === null ? {} : { baseline }),
  };
}

function labels(flag: string, texts: readonly string[] | undefined): Record<string, string> | null {
  if (texts === undefined || texts.length === 0) return null;
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new LukhasError('USAGE', `--${flag} ${JSON.stringify(text)}: must be name=value, e.g. version=v2`);
    }),
  );
}

const MOST_RPS = 1e9;

export function perSecondFrom({ rps }: InitFlags): number | null {
  if (rps === undefined) return null;
  const value = number(rps, '--rps');
  if (value > 0 && value <= MOST_RPS) return value;
  throw new LukhasError('USAGE', `--rps ${rps}: must be greater than 0 and at most ${MOST_RPS}`);
}

const USUAL_MEASURE_SECONDS = 10;
const LONGEST_MEASURE_SECONDS = 3600;

/** Milliseconds. */
export function measureFrom({ measure }: InitFlags): number {
  const seconds = measure === undefined ? USUAL_MEASURE_SECONDS : parseDuration(measure, '--measure');
  if (seconds <= LONGEST_MEASURE_SECONDS) return seconds * 1000;
  throw new LukhasError('USAGE', `--measure ${measure}: must be at most 1h`);
}

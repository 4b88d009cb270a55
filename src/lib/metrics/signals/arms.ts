import * as z from 'zod';
import { LukhasError } from '../../errors.js';
import { maskUrls } from '../../input/index.js';
import { pageKey } from '../page-key.js';
import { disjoint, type Matcher, type Placeholders, readMatchers, writeMatchers } from '../promql/index.js';
import { fillMatchers } from './match.js';
import { parseArms } from './parse.js';
import type { ArmsConfig } from './signals.js';

const value = z.string({ error: 'a label value must be text: put it in quotes' });
const labels = z.record(z.string().min(1, 'a label name must not be empty'), value);

const NO_MATCHERS = 'must be labels, as in { version: v2 }, or a matcher in quotes, as in \'{version=~"v2.*"}\'';

/** An arm as written: labels with their values, or a matcher text such as `{pod=~"canary-.*"}`. Gives the text that is recorded. */
export const armInput = z.union([z.string(), labels]).transform((given, context) => {
  if (typeof given !== 'string') return writeMatchers(equal(given));
  const read = readMatchers(given);
  if (read.ok) return writeMatchers(read.value);
  const message = given.includes('{') ? read.problem : NO_MATCHERS;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** Matchers for labels that have exactly these values. */
export function equal(wanted: Readonly<Record<string, string>>): Matcher[] {
  return Object.entries(wanted).map(([label, text]) => ({ label, op: '=', value: text }));
}

/** Where the series of both arms are read. */
export interface ArmPlaces {
  arms: ArmsConfig;
  /** Addresses of each arm; the same for both where one Prometheus holds all. Null: there is no baseline. */
  canaryUrls: readonly string[];
  baselineUrls: readonly string[] | null;
}

/**
 * Refuses arms that may hold the same series: the canary would be its own baseline, or a part of it. Pages of their own
 * need no labels; from one page or one Prometheus, some label has to differ.
 * @param values what the placeholders stand for in each arm
 * @throws LukhasError CONFIG that says what to write; PROMQL for arms that cannot be read
 */
export function refuseSameSeries(
  { arms, canaryUrls, baselineUrls }: ArmPlaces,
  values: { canary: Placeholders; baseline: Placeholders },
): void {
  const canaryPages = new Set(canaryUrls.map(pageKey));
  if (!baselineUrls?.some((url) => canaryPages.has(pageKey(url)))) return;
  const parsed = parseArms(arms);
  const [canary, baseline] = (['canary', 'baseline'] as const).map((arm) => fillMatchers(parsed[arm], values[arm]));
  if (disjoint(canary!, baseline!)) return;
  const [first, second] = [writeMatchers(canary!), writeMatchers(baseline!)];
  const shown = first === second ? `both ${first}` : `${first} and ${second}`;
  throw new LukhasError('CONFIG', `arms: canary and baseline can be the same series (${shown})`, {
    suggestions: [
      'Give a label that differs: arms: { canary: { version: v2 }, baseline: { version: v1 } } in lukhas.yaml.',
      'Or use --canary-label version=v2 --baseline-label version=v1, or a page of its own for each version.',
    ],
  });
}

/**
 * Refuses pages of an arm that are one page: its requests would count twice, and be twice the evidence.
 * @param where what the addresses are called
 * @throws LukhasError CONFIG
 */
export function refuseTwice(where: string, urls: readonly string[]): void {
  const pages = new Map<string, string>();
  for (const url of urls) {
    const key = pageKey(url);
    const first = pages.get(key);
    if (first !== undefined) {
      const shown =
        first === url ? `${maskUrls(url)} is given twice` : `${maskUrls(first)} and ${maskUrls(url)} are one page`;
      throw new LukhasError('CONFIG', `${where}: ${shown}: its requests would count twice`, {
        suggestions: ['Name each page once.'],
      });
    }
    pages.set(key, url);
  }
}

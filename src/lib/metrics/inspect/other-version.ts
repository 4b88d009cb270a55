import { type Matcher, writeMatchers } from '../promql/index.js';
import type { Finding } from './facts.js';

/**
 * A version in the name of the model that is not the one that the canary's labels select. A file that `lukhas init` wrote
 * for `v2` is still there when `v3` comes: without this, v2 would be judged, and v3 promoted.
 */
export function otherVersion(modelId: string, canary: readonly Matcher[]): Finding[] {
  const version = IN_NAME.exec(modelId)?.[1];
  if (version === undefined) return [];
  const named = canary.filter(({ op, value }) => op === '=' && shapeOf(value) === shapeOf(version));
  if (named.length === 0 || canary.some(({ value }) => value.includes(version))) return [];
  const { label } = named[0] as Matcher;
  return [
    {
      level: 'warning',
      arm: 'canary',
      signal: null,
      words: `the model is ${modelId}, and the series that are measured are those with ${writeMatchers(named)}`,
      advice: `If they are not those of ${modelId}, abort this canary, and say ${label}: ${version} in arms.canary, or for one canary with --canary-label.`,
    },
  ];
}

/** The last part of a name, where it is a version: `fraud-v3`, `rank:1.4.2`. */
const IN_NAME = /(?:^|[-_:@/ ])(v?\d+(?:\.\d+)*)$/iu;

/** `v#`, `#.#.#`: only versions that are written alike are compared, as other labels hold versions of something else. */
function shapeOf(text: string): string {
  return text.toLowerCase().replace(/\d+/gu, '#');
}

import { LukhasError } from '../errors.js';
import { quote } from '../input/index.js';
import type { Policy } from '../judge/index.js';
import { judgeVersionOf, LONGEST_WINDOW_SECONDS, parsePolicy, withoutLaterKeys } from '../judge/index.js';
import { canonicalJson } from '../ledger/tree/index.js';
import type { ReplayResult } from './result.js';

/** One key of a policy and what it is set to: `targets.max_error_rate=0.05`. `null` takes the key out. */
export interface Setting {
  path: string;
  value: unknown;
}

/** A policy as it was written, before it is checked, and where. */
export interface WrittenPolicy {
  written: unknown;
  where: string;
}

/** @throws LukhasError USAGE */
export function parseSetting(text: string, flag: string): Setting {
  const [, path, value] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(text) ?? [];
  if (path === undefined || value === undefined || value.trim() === '')
    throw new LukhasError(
      'USAGE',
      `${flag} ${JSON.stringify(text)}: must be KEY=VALUE, e.g. targets.max_error_rate=0.05`,
    );
  checkPath(path, flag);
  return { path, value: readValue(value.trim()) };
}

/** @throws LukhasError USAGE for a key that a replay cannot change */
export function checkPath(path: string, flag: string): void {
  if (path === 'intervalSeconds')
    throw new LukhasError(
      'USAGE',
      `${flag} intervalSeconds: cannot be changed in a replay, which uses the recorded checks`,
    );
}

/** Numbers, lists and groups as JSON; anything else is text. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

/**
 * The policy to replay under: the written one, or else the canary's own, with the settings applied.
 * @throws LukhasError POLICY as `parsePolicy`; USAGE when there is neither
 */
export function counterfactualPolicy(
  given: WrittenPolicy | null,
  own: Policy | null,
  settings: readonly Setting[],
  flag = '--set',
): Policy {
  const where = given === null ? flag : settings.length === 0 ? given.where : `${given.where} with ${flag}`;
  if (given !== null) return parsePolicy(withSettings(given.written, settings, flag), where);
  if (own === null)
    throw new LukhasError('USAGE', 'No policy given: the records do not have one, so pass --policy FILE.');
  if (settings.length === 0) return own;
  const changed = parsePolicy(withSettings(withoutFollowing(own, settings), settings, flag), where);
  // Defaults that came later would change more than what was set.
  return withoutLaterKeys(changed, new Set(settings.map(({ path }) => path)), judgeVersionOf(own));
}

function withSettings(written: unknown, settings: readonly Setting[], flag: string): unknown {
  return settings.reduce(
    (policy, { path, value }) => withValue(policy, path.split('.'), value, `${flag} ${path}`),
    written,
  );
}

/** Removes values derived from a key that is set now, so that they are derived from the new value. */
function withoutFollowing(own: Policy, settings: readonly Setting[]): unknown {
  const set = new Set(settings.map(({ path }) => path));
  if (set.has('maxWindowSeconds') || !(set.has('windowSeconds') || set.has('onInconclusive'))) return own;
  const { maxWindowSeconds: _, ...rest } = own;
  return followsWindow(own) ? rest : own;
}

/** Whether the latest end is the default one. */
function followsWindow({ windowSeconds, onInconclusive, maxWindowSeconds }: Policy): boolean {
  const longest = onInconclusive === 'extend' ? Math.min(3 * windowSeconds, LONGEST_WINDOW_SECONDS) : windowSeconds;
  return maxWindowSeconds === longest;
}

function withValue(group: unknown, keys: readonly string[], value: unknown, what: string): unknown {
  const [key, ...more] = keys;
  if (key === undefined) return value;
  if (group !== undefined && (typeof group !== 'object' || group === null || Array.isArray(group)))
    throw new LukhasError('POLICY', `${what}: ${quote(group)} is not a group of keys`);
  const members: Record<string, unknown> = { ...group };
  const inside = Object.hasOwn(members, key) ? members[key] : undefined;
  const changed = withValue(inside, more, value, what);
  if (changed !== null || more.length > 0) return { ...members, [key]: changed };
  return Object.fromEntries(Object.entries(members).filter(([name]) => name !== key));
}

/**
 * Keys in which two policies differ, in the order of their names; an absent key is null. Left out are names, which are
 * not judged, and a latest end that follows from other keys in both.
 */
export function policyDiff(original: Policy, counterfactual: Policy): ReplayResult['policyDiff'] {
  const [a, b] = [leaves(original), leaves(counterfactual)];
  const hidden = ['name', ...(followsWindow(original) && followsWindow(counterfactual) ? ['maxWindowSeconds'] : [])];
  const paths = [...new Set([...a.keys(), ...b.keys()])].filter((path) => !hidden.includes(path)).sort();
  return paths.flatMap((path) => {
    const [mine, other] = [a.get(path) ?? null, b.get(path) ?? null];
    if (canonicalJson(mine) === canonicalJson(other)) return [];
    return [{ path, original: mine, counterfactual: other }];
  });
}

function leaves(policy: Policy): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const walk = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) found.set(path, value);
    else for (const [key, inside] of Object.entries(value)) walk(inside, path === '' ? key : `${path}.${key}`);
  };
  walk(policy, '');
  return found;
}

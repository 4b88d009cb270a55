import { fits } from './match.js';
import type { Matcher, Selector } from './selector.js';

/**
 * What follows from matchers alone, whatever series there are. Each answer "true" is a proof; "false" says only that none
 * was found.
 */

/** Whether no series can fit both: one label would need two values. */
export function disjoint(a: readonly Matcher[], b: readonly Matcher[]): boolean {
  return a.some((one) => b.some((other) => one.label === other.label && contradict(one, other)));
}

/** Whether every series that fits `narrow` fits `wide` too. */
export function narrows(narrow: readonly Matcher[], wide: readonly Matcher[]): boolean {
  return wide.every((wanted) => {
    if (everything(wanted)) return true;
    return narrow.some((given) => given.label === wanted.label && implies(given, wanted));
  });
}

/**
 * Whether some series fit both, if there are any for all the values that are asked for: of each label that both ask for
 * they accept a common value, and one of them asks for no other labels.
 */
export function meet(a: readonly Matcher[], b: readonly Matcher[]): boolean {
  const [labels, others] = [labelsOf(a), labelsOf(b)];
  const common = [...labels].filter((label) => others.has(label));
  if (common.length < Math.min(labels.size, others.size)) return false;
  return common.every((label) => {
    const all = [...a, ...b].filter((matcher) => matcher.label === label);
    return all.flatMap((matcher) => valuesOf(matcher) ?? []).some((value) => all.every((one) => fits(one, value)));
  });
}

function labelsOf(matchers: readonly Matcher[]): Set<string> {
  return new Set(matchers.filter((matcher) => !everything(matcher)).map(({ label }) => label));
}

/** Whether every series of `narrow` is one of `wide`. */
export function selectsAmong(narrow: Selector, wide: Selector): boolean {
  return narrow.name === wide.name && narrows(narrow.matchers, wide.matchers);
}

function everything({ op, value }: Matcher): boolean {
  return op === '=~' && /^\(?\.\*\)?$/.test(value);
}

function contradict(a: Matcher, b: Matcher): boolean {
  return implies(a, opposite(b)) || implies(b, opposite(a));
}

const OPPOSITE = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' } as const;

function opposite({ label, op, value }: Matcher): Matcher {
  return { label, op: OPPOSITE[op], value };
}

/** Of two matchers of one label: whether every value that fits `given` fits `wanted`. */
function implies(given: Matcher, wanted: Matcher): boolean {
  if (given.op === wanted.op && given.value === wanted.value) return true;
  // What a placeholder stands for is not known here.
  if (given.value.includes('$__') || wanted.value.includes('$__')) return false;
  const values = valuesOf(given);
  if (values !== null) return values.every((value) => fits(wanted, value));
  // "Not these values" follows when each of them fails the given matcher.
  const excluded = valuesOf(opposite(wanted));
  if (excluded !== null) return excluded.every((value) => !fits(given, value));
  if (wanted.op === '=~' && /^\(?\.\+\)?$/.test(wanted.value)) return !fits(given, '');
  return given.op === '=~' && wanted.op === '!~' && apart(given.value, wanted.value);
}

/** All values that fit, where they can be listed. */
function valuesOf({ op, value }: Matcher): readonly string[] | null {
  if (op === '=') return [value];
  if (op !== '=~') return null;
  const values = branchesOf(value)?.map(({ prefix, whole }) => (whole ? prefix : null));
  return values?.every((one) => one !== null) ? values : null;
}

/** Whether two regular expressions begin with different letters in all their branches. */
function apart(a: string, b: string): boolean {
  const [first, second] = [branchesOf(a), branchesOf(b)];
  if (first === null || second === null) return false;
  return first.every((one) => second.every((other) => differ(one, other)));
}

interface Branch {
  /** What every value begins with. */
  prefix: string;
  /** Whether that is all of it. */
  whole: boolean;
}

function differ(a: Branch, b: Branch): boolean {
  const length = Math.min(a.prefix.length, b.prefix.length);
  if (a.prefix.slice(0, length) !== b.prefix.slice(0, length)) return true;
  return (a.whole && b.prefix.length > a.prefix.length) || (b.whole && a.prefix.length > b.prefix.length);
}

/** Branches of a regular expression at its top level; null where they cannot be told without a full parser. */
function branchesOf(pattern: string): Branch[] | null {
  const plain = /^\((?!\?)([^()\\[\]]*)\)$/.exec(pattern)?.[1] ?? pattern;
  // Groups may hold flags and branches of their own, and \Q...\E anything.
  if (/[()]|\\[^.+*?|[\]{}^$\\/-]/.test(plain)) return null;
  const parts = plain.match(/(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^|\\[])+|(?<=^|\|)(?=\||$)/gs) ?? [''];
  return parts.join('|') === plain ? parts.map(branchOf) : null;
}

function branchOf(part: string): Branch {
  let prefix = '';
  let rest = part;
  for (;;) {
    const [taken, escaped, plain] = /^(?:\\([\s\S])|([^.+*?|[\]{}^$\\]))(?![*?+{])/u.exec(rest) ?? [];
    if (taken === undefined) return { prefix, whole: rest === '' };
    prefix += escaped ?? plain ?? '';
    rest = rest.slice(taken.length);
  }
}

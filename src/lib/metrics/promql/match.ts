import { RE2JS } from 're2js';
import type { Matcher } from './selector.js';
import { PLACEHOLDER } from './tree.js';

/** Matchers are compiled once: a page may hold a hundred thousand series. */
const compiled = new WeakMap<Matcher, (value: string) => boolean>();

/**
 * Whether a label's value is what a matcher wants, as Prometheus decides it: a label that a series lacks is the empty string,
 * and a regular expression (RE2) has to match the whole value, in time linear in its length.
 * https://prometheus.io/docs/prometheus/latest/querying/basics/#time-series-selectors
 * @throws RE2JSSyntaxException for an expression that `regexProblem` refuses
 */
export function fits(matcher: Matcher, value: string): boolean {
  let test = compiled.get(matcher);
  if (test === undefined) {
    test = compile(matcher);
    compiled.set(matcher, test);
  }
  return test(value);
}

/** Whether all matchers fit; without any, everything does. */
export function fitAll(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every((matcher) => fits(matcher, ownValue(labels, matcher.label)));
}

function ownValue(labels: Readonly<Record<string, string>>, label: string): string {
  return Object.hasOwn(labels, label) ? labels[label]! : '';
}

function compile({ op, value: wanted }: Matcher): (value: string) => boolean {
  if (op === '=') return (value) => value === wanted;
  if (op === '!=') return (value) => value !== wanted;
  // As Prometheus compiles it: a dot matches a line break, too.
  const regex = RE2JS.compile(`(?s:${wanted})`);
  return op === '=~' ? (value) => regex.matches(value) : (value) => !regex.matches(value);
}

/** What is wrong with the regular expression of a matcher, and what to write instead; null: nothing. */
export function regexProblem({ label, op, value }: Matcher): string | null {
  if (op === '=' || op === '!=') return null;
  const pattern = value.replace(PLACEHOLDER, 'x');
  try {
    RE2JS.compile(pattern);
    RE2JS.compile(`(?s:${pattern})`);
    return null;
  } catch (error) {
    return `label ${label}: ${reasonOf(pattern, error as Error)}`;
  }
}

function reasonOf(pattern: string, error: Error): string {
  const shown = JSON.stringify(pattern);
  const negative = /^\(\?!([^()]*)\)(?:\.[*+])?$/.exec(pattern)?.[1]?.replace(/\$$/, '');
  if (negative !== undefined)
    return `look-ahead such as ${shown} is not known to Prometheus (RE2); write !~ ${JSON.stringify(negative)}, or != for one value`;
  if (/\(\?<?[!=]/.test(pattern))
    return `look-ahead and look-behind, as in ${shown}, are not known to Prometheus (RE2); write a second matcher with !~ or != instead`;
  if (/(?<!\\)(?:\\\\)*\\[1-9]/.test(pattern))
    return `references back to a group, as in ${shown}, are not known to Prometheus (RE2); list the values: "a|b"`;
  const why = error.message.replace(/^error parsing regexp: /, '').replaceAll('(?s:', '(');
  return `${shown} is not a regular expression that Prometheus (RE2) accepts: ${why}`;
}

import type { Labels } from '../labels.js';
import type { Matcher } from '../promql/index.js';

const compiled = new WeakMap<Matcher, RegExp>();

/** Whether all matchers fit; a label that a series does not have is the empty string. */
export function fitAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => fits(matcher, labels[matcher.label] ?? ''));
}

function fits(matcher: Matcher, value: string): boolean {
  if (matcher.op === '=') return value === matcher.value;
  if (matcher.op === '!=') return value !== matcher.value;
  const known = compiled.get(matcher) ?? new RegExp(`^(?:${matcher.value})$`, 's');
  compiled.set(matcher, known);
  return known.test(value) === (matcher.op === '=~');
}

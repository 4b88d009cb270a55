import { LukhasError } from '../errors.js';

export type Labels = Record<string, string>;

/** One sample of a cumulative series, as exposed. */
export interface Series {
  name: string;
  labels: Labels;
  value: number;
  /** When it was taken, milliseconds since the epoch, if the source says. */
  t?: number;
}

/**
 * Labels in one spelling, sorted: `{code="500",pod="a"}`. Names the series in messages and is its key in a cursor.
 * `without` leaves one label out (`le`: the buckets of one histogram share a key).
 */
export function showLabels(labels: Labels, without?: string): string {
  const names = Object.keys(labels).filter((name) => name !== without);
  names.sort();
  return `{${names.map((name) => `${name}=${JSON.stringify(labels[name])}`).join(',')}}`;
}

/** Source of the regular expression in `/5../`; null when the value stands for itself. */
export function patternOf(value: string): string | null {
  return value.length >= 2 && value.startsWith('/') && value.endsWith('/') ? value.slice(1, -1) : null;
}

/**
 * Test for `wanted`: equal values, or fully anchored regular expressions where written as `/re/`. As in PromQL, a label
 * that a series does not have is the empty string.
 * @throws LukhasError CONFIG for a regular expression that does not compile.
 */
export function labelMatcher(wanted: Labels): (labels: Labels) => boolean {
  const tests = Object.entries(wanted).map(([name, value]) => {
    const pattern = patternOf(value);
    if (pattern === null) return (labels: Labels) => (labels[name] ?? '') === value;
    const regExp = compile(name, pattern);
    return (labels: Labels) => regExp.test(labels[name] ?? '');
  });
  return (labels) => tests.every((test) => test(labels));
}

function compile(name: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 's');
  } catch (cause) {
    throw new LukhasError('CONFIG', `label ${name}: /${pattern}/ is not a regular expression`, { cause });
  }
}

import { fillValue, type Placeholders } from './promql.js';
import { escapeRegex, quote, unquote } from './text.js';
import { childrenOf, parseSyntax } from './tree.js';

export interface Matcher {
  label: string;
  op: '=' | '!=' | '=~' | '!~';
  value: string;
}

/** A vector selector taken apart; the name is not among the matchers. Values are the strings' contents. */
export interface Selector {
  name: string;
  matchers: Matcher[];
}

/** Takes `name{label="value",...}` apart, placeholders left in; null when it does not fix one metric name. */
export function parseSelector(text: string): Selector | null {
  const parts = partsOf(text);
  const [name, ...more] = parts?.names ?? [];
  return parts !== null && name && more.length === 0 ? { name, matchers: parts.matchers } : null;
}

/** Takes `{label="value",...}` apart, placeholders left in; null when it names a metric, too. */
export function parseMatchers(text: string): Matcher[] | null {
  const parts = partsOf(text);
  return parts?.names.length === 0 ? parts.matchers : null;
}

function partsOf(text: string): { names: string[]; matchers: Matcher[] } | null {
  const vector = parseSyntax(text).getChild('VectorSelector');
  if (!vector) return null;
  const slice = (node: { from: number; to: number }): string => text.slice(node.from, node.to);
  const identifier = vector.getChild('Identifier');
  const names = identifier ? [slice(identifier)] : [];
  const matchers: Matcher[] = [];
  const list = vector.getChild('LabelMatchers');
  for (const node of list ? childrenOf(list) : []) {
    const [label, op, literal] = childrenOf(node).map(slice);
    const value = unquote(literal ?? label ?? '');
    if (label === undefined || value === null) return null;
    if (op === undefined) names.push(value);
    else if (label !== '__name__') matchers.push({ label: unquote(label) ?? label, op: op as Matcher['op'], value });
    else if (op === '=') names.push(value);
    else return null;
  }
  return { names, matchers };
}

/** Puts values in place of the placeholders, escaped where the matcher is a regular expression. */
export function fillSelector({ name, matchers }: Selector, values: Placeholders): Selector {
  const filled = matchers.map(({ label, op, value }): Matcher => {
    const escaped = op.endsWith('~') ? escapeRegex : (literal: string) => literal;
    return { label, op, value: fillValue(value, values, escaped) };
  });
  return { name, matchers: filled };
}

/** Text of a selector for one or more metric names, all values quoted and escaped. */
export function writeSelector(names: readonly string[], matchers: readonly Matcher[]): string {
  const name: Matcher =
    names.length === 1
      ? { label: '__name__', op: '=', value: names[0]! }
      : { label: '__name__', op: '=~', value: names.map(escapeRegex).join('|') };
  return writeMatchers([name, ...matchers]);
}

/** A selector as messages show it and as Prometheus reads it. */
export function showSelector({ name, matchers }: Selector): string {
  if (!/^[a-zA-Z_:][\w:]*$/.test(name)) return `{${[quote(name), ...matchers.map(written)].join(',')}}`;
  return matchers.length === 0 ? name : `${name}${writeMatchers(matchers)}`;
}

/** Matchers without a name, as in `{version="v2"}`. */
export function writeMatchers(matchers: readonly Matcher[]): string {
  return `{${matchers.map(written).join(',')}}`;
}

function written({ label, op, value }: Matcher): string {
  const plain = /^[a-zA-Z_]\w*$/.test(label);
  return `${plain ? label : quote(label)}${op}${quote(value)}`;
}

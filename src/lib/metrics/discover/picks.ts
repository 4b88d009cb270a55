import { escapeRegex, fitAll, type Matcher, quote } from '../promql/index.js';
import type { SeriesFact } from './facts.js';

/** Series of one name that matchers select. */
export interface Pick {
  name: string;
  matchers: readonly Matcher[];
}

/** Whether a series has what the matchers want; a label that is missing is the empty text. */
export function fits({ labels }: SeriesFact, matchers: readonly Matcher[]): boolean {
  return fitAll(matchers, labels);
}

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** What an eye does not see: in a file it stands as an escape, which PromQL reads. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text as PromQL quotes it, with nothing in it that cannot be seen. */
export function quoted(text: string): string {
  return quote(text).replace(UNSEEN, (sign) => `\\U${sign.codePointAt(0)!.toString(16).padStart(8, '0')}`);
}

/** `name{label="value"}`, as PromQL reads it; a name that needs quotes stands within the braces. */
export function pickText({ name, matchers }: Pick): string {
  const plain = PLAIN_NAME.test(name);
  const parts = [...(plain ? [] : [quoted(name)]), ...matchers.map(matcherText)];
  return `${plain ? name : ''}${parts.length === 0 ? '' : `{${parts.join(', ')}}`}`;
}

export function matcherText(matcher: Matcher): string {
  const { label, op, value } = literally(matcher);
  return `${PLAIN_LABEL.test(label) ? label : quoted(label)}${op}${quoted(value)}`;
}

/** Whether a value that a service shows would be read as a placeholder. */
export function hasPlaceholder({ value }: Matcher): boolean {
  return value.includes('$__');
}

/** The same, read as it stands: only an expression can say that `$__gate` is the value itself, and no gate's name. */
function literally(matcher: Matcher): Matcher {
  if (!hasPlaceholder(matcher)) return matcher;
  const { label, op, value } = matcher;
  const isPlain = op === '=' || op === '!=';
  const pattern = isPlain ? escapeRegex(value) : value;
  return { label, op: op === '=' ? '=~' : op === '!=' ? '!~' : op, value: pattern.replaceAll(/\\?\$__/g, '[$]__') };
}

/** `{a="b", c=~"d"}` */
export function matchersText(matchers: readonly Matcher[]): string {
  return `{${matchers.map(matcherText).join(', ')}}`;
}

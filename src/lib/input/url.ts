import { type ErrorCode, LukhasError } from '../errors.js';
import { secretPart } from './secret-url.js';

/** What an address is for, as far as its form depends on it. */
export interface UrlRules {
  /** What to write, in messages. */
  example: string;
  /** Paths are added to it: it has neither query nor fragment. */
  isBase?: boolean;
  /** What to do instead of putting credentials into it: addresses end up in logs. */
  instead: string;
}

/**
 * What is wrong with an http(s) address that a person wrote, in words that follow the name of the flag or key; null when
 * nothing is. They repeat nothing of the text, which may hold a secret.
 */
export function urlProblem(text: string, { example, isBase, instead }: UrlRules): string | null {
  if (!URL.canParse(text)) return `is not a URL; write e.g. ${example}`;
  const { protocol, search, hash, href } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return `must start with http:// or https://, e.g. ${example}`;
  const secret = secretPart(href);
  if (secret !== null) return `contains ${secret}, which would be recorded; ${instead}`;
  if (isBase && (search !== '' || hash !== '')) return `must not have a query or fragment, e.g. ${example}`;
  return null;
}

/** @param where flag or key that gave it. @throws LukhasError with `code` */
export function parseUrl(text: string, where: string, code: ErrorCode, rules: UrlRules): URL {
  const problem = urlProblem(text, rules);
  if (problem !== null) throw new LukhasError(code, `${where}: ${problem}`);
  return new URL(text);
}

/** For `superRefine` of a zod schema. */
export function isUrl(rules: UrlRules) {
  return (text: string, context: { addIssue(issue: { code: 'custom'; message: string }): void }): void => {
    const message = urlProblem(text, rules);
    if (message !== null) context.addIssue({ code: 'custom', message });
  };
}

import canonicalize from 'canonicalize';
import { LukhasError } from '../errors.js';

/**
 * Canonical JSON text (RFC 8785): the bytes that are recorded and hashed are its UTF-8.
 * @param what named in the error, e.g. `event canary.started of c1`
 * @throws LukhasError USAGE for what JSON cannot hold: NaN, Infinity, lone surrogates, undefined, functions, cycles
 */
export function canonicalJson(value: unknown, what = 'value'): string {
  return recorded(value, what).text;
}

/** The canonical text, and the value as it will be read back from it. */
export function recorded(value: unknown, what: string): { text: string; copy: unknown } {
  let text: string | undefined;
  try {
    text = canonicalize(value);
    // The package writes a function inside an object as `undefined`: what is recorded for ever must parse.
    if (text !== undefined) return { text, copy: JSON.parse(text) };
  } catch (error) {
    throw notJson(what, error instanceof SyntaxError ? 'it holds a function' : (error as Error).message, error);
  }
  throw notJson(what, 'there is no value', undefined);
}

function notJson(what: string, why: string, cause: unknown): LukhasError {
  return new LukhasError('USAGE', `The ${what} cannot be recorded as JSON: ${why}`, { cause });
}

import { LukhasError } from '../errors.js';
import { quote } from './problems.js';

/** Names of models, gates and configurations: they stand in log lines, queries, environment variables and command lines. */
export const NAME_PATTERN = /^[A-Za-z0-9._/:@][A-Za-z0-9._/:@-]{0,127}$/;
/** Characters of the longest one. */
export const NAME_MOST = 128;
/** The pattern in words. */
export const NAME_RULE = `use 1 to ${NAME_MOST} letters, digits and . _ - / : @, not starting with -`;

/**
 * Checks the name of a model, a gate or an evaluation's configuration as a user gave it.
 * @throws LukhasError USAGE, one line whatever the value holds
 */
export function parseName(kind: 'model' | 'gate' | 'configuration', value: string): string {
  if (NAME_PATTERN.test(value)) return value;
  const shown = quote(value).replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  throw new LukhasError('USAGE', `${kind} name ${shown} is not valid: ${NAME_RULE}`);
}

import { LukhasError } from '../../lib/errors.js';

/** What failed, and what to do. */
export function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const advice = error instanceof LukhasError ? error.suggestions[0] : undefined;
  if (advice === undefined) return error.message;
  return `${error.message}${/[.!?…]$/u.test(error.message) ? '' : '.'} ${advice}`;
}

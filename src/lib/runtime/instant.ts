import { LukhasError } from '../errors.js';
import { parseDuration } from './duration.js';

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a point in time: RFC 3339 (`2026-03-01T12:00:00Z`), or how long ago (`90s`, `2h`, `30d`).
 * @param now ms since the epoch
 * @param what what the message names, e.g. `--at`
 * @returns ms since the epoch
 * @throws LukhasError USAGE
 */
export function parseInstant(text: string, now: number, what: string): number {
  const trimmed = text.trim();
  const at = RFC3339.test(trimmed) ? Date.parse(trimmed.toUpperCase().replace(' ', 'T')) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  if (/^\d+(\.\d+)?[a-z]/.test(trimmed)) return now - parseDuration(trimmed, what) * 1000;
  throw new LukhasError(
    'USAGE',
    `${what}: ${JSON.stringify(text)} is no point in time; write 2026-03-01T12:00:00Z (RFC 3339, with its zone), or how long ago, e.g. 2h`,
  );
}

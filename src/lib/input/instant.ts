import { LukhasError } from '../errors.js';
import { parseDuration } from './duration.js';

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](?:[01]\d|2[0-3]):\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a point in time: RFC 3339 (`2026-03-01T12:00:00Z`), or how long ago (`90s`, `2h`, `30d`).
 * @param now ms since the epoch
 * @param what what the message names, e.g. `--at`
 * @returns ms since the epoch
 * @throws LukhasError USAGE
 */
export function parseInstant(text: string, now: number, what: string): number {
  const trimmed = text.trim();
  const date = RFC3339.exec(trimmed);
  const at = date === null ? Number.NaN : Date.parse(trimmed.toUpperCase().replace(' ', 'T'));
  if (!Number.isNaN(at) && isInCalendar(date)) return at;
  if (/^\d+(\.\d+)?[a-z]/.test(trimmed)) return now - parseDuration(trimmed, what) * 1000;
  throw new LukhasError(
    'USAGE',
    `${what}: ${JSON.stringify(text)} is not a valid time; use RFC 3339, e.g. 2026-03-01T12:00:00Z, or how long ago, e.g. 2h`,
  );
}

/** `Date.parse` takes the 31st of February for the 3rd of March. */
function isInCalendar(date: RegExpExecArray | null): boolean {
  const [, year, month, day] = date ?? [];
  // The calendar repeats after 400 years; Date.UTC takes years below 100 for those of the last century.
  const days = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
  return Number(day) >= 1 && Number(day) <= days;
}

import { LukhasError } from '../errors.js';

/** Seconds a unit. */
const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 };

/** What is longer overflows somewhere, and is a slip of the keyboard: 100 years. */
const LONGEST_SECONDS = 36_500 * 86_400;

const PART = /(\d+(?:\.\d+)?)(ms|[wdhms])/gy;

/**
 * Reads `120s`, `2m`, `1h30m`, `30d`, `500ms`; a bare number is seconds.
 * @param what what the message names, e.g. `--window`
 * @returns seconds, 0 or more
 * @throws LukhasError USAGE
 */
export function parseDuration(text: string, what = 'duration'): number {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return within(Number(trimmed), text, what);
  const parts = [...trimmed.matchAll(PART)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  if (parts.length === 0 || length !== trimmed.length) {
    throw new LukhasError(
      'USAGE',
      `${what}: ${JSON.stringify(text)} is not a duration; write e.g. 120s, 2m, 1h30m, 30d`,
    );
  }
  // Whole milliseconds, so that 1.1s + 100ms is 1.2 and not 1.2000000000000002.
  const milliseconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit!] ?? 0) * 1000, 0);
  return within(Math.round(milliseconds) / 1000, text, what);
}

function within(seconds: number, text: string, what: string): number {
  if (seconds <= LONGEST_SECONDS) return seconds;
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  throw new LukhasError('USAGE', `${what}: ${JSON.stringify(shown)} is too long; the longest is 36500d`);
}

/** The shortest exact form, largest unit first, to the millisecond: `1h30m`, `90d`, `2m5s`, `500ms`. Weeks are written in days. */
export function formatDuration(seconds: number): string {
  let left = Math.round(Math.abs(seconds) * 1000);
  const text = (['d', 'h', 'm', 's', 'ms'] as const)
    .map((unit) => {
      const size = (UNITS[unit] ?? 0) * 1000;
      const amount = Math.floor(left / size);
      left -= amount * size;
      return amount === 0 ? '' : `${amount}${unit}`;
    })
    .join('');
  if (text === '') return '0s';
  return seconds < 0 ? `-${text}` : text;
}

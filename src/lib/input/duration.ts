import { LukhasError } from '../errors.js';
import { quote } from './problems.js';

/** Seconds a unit. */
const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 };

/** What is longer overflows somewhere, and is a slip of the keyboard: 100 years. */
const LONGEST_SECONDS = 36_500 * 86_400;

const PART = /(\d+(?:\.\d+)?)(ms|[wdhms])/gy;

/** How long it may be, seconds. */
export interface DurationLimits {
  /** The shortest is longer than nothing; else nothing will do. */
  isPositive?: boolean;
  most?: number;
}

/**
 * Seconds of `120s`, `2m`, `1h30m`, `30d`, `500ms`; a bare number is seconds. To the millisecond, 0 or more; NaN when it is
 * no duration. The one grammar of flags, configuration, policies and addresses.
 */
export function durationSeconds(text: string): number {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  const parts = [...trimmed.matchAll(PART)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  if (parts.length === 0 || length !== trimmed.length) return Number.NaN;
  // Whole milliseconds, so that 1.1s + 100ms is 1.2 and not 1.2000000000000002.
  const milliseconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit!] ?? 0) * 1000, 0);
  return Math.round(milliseconds) / 1000;
}

/** What is wrong with a duration that a person wrote, in words; null when nothing is. A number is seconds. */
export function durationProblem(given: string | number, limits: DurationLimits = {}): string | null {
  const { isPositive = false, most = LONGEST_SECONDS } = limits;
  const seconds = typeof given === 'number' ? given : durationSeconds(given);
  if (Number.isNaN(seconds) || seconds < 0) return `${quote(given)} is not a duration; write e.g. 120s, 2m, 1h30m, 30d`;
  if (isPositive && seconds === 0) return `${quote(given)} is too short; it must be more than 0`;
  return seconds <= most ? null : `${quote(given)} is too long; the longest is ${formatDuration(most)}`;
}

/**
 * @param what what the message names, e.g. `--window`
 * @returns seconds
 * @throws LukhasError USAGE
 */
export function parseDuration(text: string, what: string, limits: DurationLimits = {}): number {
  const problem = durationProblem(text, limits);
  if (problem !== null) throw new LukhasError('USAGE', `${what}: ${problem}`);
  return durationSeconds(text);
}

/** For `superRefine` of a zod schema. */
export function isDuration(limits: DurationLimits = {}) {
  return (given: string | number, context: { addIssue(issue: { code: 'custom'; message: string }): void }): void => {
    const message = durationProblem(given, limits);
    if (message !== null) context.addIssue({ code: 'custom', message });
  };
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

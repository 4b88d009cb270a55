import { Flags } from '@oclif/core';
import { LukhasError } from '../lib/errors.js';
import { parseDuration } from '../lib/input/index.js';
import { LATENCY_UNITS, type LatencyUnit, type ObserveOptions } from '../lib/metrics/requests/index.js';
import { number } from './policy-flags.js';

const column = (what: string, names: string) =>
  Flags.string({ description: `column of ${what} (default: ${names}, ...)`, helpValue: 'NAME' });

export const observeFlags = {
  every: Flags.string({ description: 'length of an observation, e.g. 5s', helpValue: 'TIME', required: true }),
  out: Flags.string({ description: 'file of observations to write (default: standard output)', helpValue: 'FILE' }),
  canary: Flags.string({ description: 'version that is the canary', helpValue: 'VERSION' }),
  baseline: Flags.string({
    description: 'version that is the baseline',
    helpValue: 'VERSION',
    dependsOn: ['canary'],
  }),
  'time-column': column('times', 'time, timestamp'),
  'version-column': column('versions', 'version'),
  'latency-column': column('latencies', 'latency, duration_ms'),
  'ok-column': column('outcomes: true or false, or an HTTP status', 'ok, status'),
  'score-column': column('scores', 'score'),
  'latency-unit': Flags.string({
    description: "unit of the latencies: s, ms, us or ns (default: as the column's name ends, else ms)",
    helpValue: 'UNIT',
  }),
  buckets: Flags.string({
    description: 'bounds of latencies in ms; include your target (default: 5 to 10000)',
    helpValue: 'MS,MS,...',
  }),
  'score-buckets': Flags.string({
    description: 'bounds of scores (default: 20 equal buckets from 0 to 1)',
    helpValue: 'X,X,...',
  }),
  lateness: Flags.string({
    description: 'how far rows may be out of order (default: 60 times --every)',
    helpValue: 'TIME',
  }),
  'skip-bad': Flags.boolean({ default: false, description: 'leave out rows that cannot be read, and count them' }),
};

type ObserveFlags = {
  [K in keyof typeof observeFlags]?: K extends 'skip-bad' ? boolean : string | undefined;
} & { every: string; 'skip-bad': boolean };

const USUAL_BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const MOST_BUCKETS = 200;
const USUAL_LATE_TICKS = 60;
/** Ticks that are held in memory. */
const MOST_LATE_TICKS = 100_000;

/** @throws LukhasError USAGE */
export function observeOptions(flags: ObserveFlags, name: string): ObserveOptions {
  const everyMs = milliseconds('every', flags.every);
  const latenessMs =
    flags.lateness === undefined ? USUAL_LATE_TICKS * everyMs : milliseconds('lateness', flags.lateness);
  if (latenessMs > MOST_LATE_TICKS * everyMs)
    throw usage(`--lateness ${flags.lateness}: must be at most ${MOST_LATE_TICKS.toLocaleString('en')} times --every`);
  if (flags.baseline !== undefined && flags.baseline === flags.canary)
    throw usage(`--baseline ${flags.baseline}: is the canary; name another version`);
  const columns = Object.fromEntries(
    (['time', 'version', 'latency', 'ok', 'score'] as const).flatMap((column) => {
      const given = flags[`${column}-column`];
      return given === undefined ? [] : [[column, given]];
    }),
  );
  return {
    name,
    everyMs,
    latenessMs,
    columns,
    latencyUnit: unit(flags['latency-unit']),
    canary: flags.canary ?? null,
    baseline: flags.baseline ?? null,
    buckets: bounds('buckets', flags.buckets) ?? USUAL_BUCKETS,
    scoreBuckets: bounds('score-buckets', flags['score-buckets']),
    skipBad: flags['skip-bad'],
  };
}

function milliseconds(flag: string, text: string): number {
  const ms = Math.round(parseDuration(text, `--${flag}`) * 1000);
  if (ms > 0) return ms;
  throw usage(`--${flag} ${text}: must be more than 0`);
}

function unit(text: string | undefined): LatencyUnit | null {
  if (text === undefined) return null;
  if (Object.hasOwn(LATENCY_UNITS, text)) return text as LatencyUnit;
  throw usage(`--latency-unit ${text}: must be one of ${Object.keys(LATENCY_UNITS).join(', ')}`);
}

function bounds(flag: string, text: string | undefined): number[] | null {
  if (text === undefined) return null;
  const values = text.split(',').map((part) => number(part.trim(), `--${flag}`));
  const falls = values.findIndex((value, i) => i > 0 && value <= values[i - 1]!);
  if (falls > 0) throw usage(`--${flag}: ${values[falls]} must be above ${values[falls - 1]}, which stands before it`);
  if (values.length > MOST_BUCKETS) throw usage(`--${flag}: at most ${MOST_BUCKETS} bounds, got ${values.length}`);
  return values;
}

function usage(message: string): LukhasError {
  return new LukhasError('USAGE', message);
}

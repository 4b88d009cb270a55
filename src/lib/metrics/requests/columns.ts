import { LukhasError } from '../../errors.js';
import { nearest } from '../../input/index.js';

export const COLUMNS = ['time', 'version', 'latency', 'ok', 'score'] as const;
export type Column = (typeof COLUMNS)[number];

/** Units of the latency column, and how many milliseconds each is. */
export const LATENCY_UNITS = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6 } as const;
export type LatencyUnit = keyof typeof LATENCY_UNITS;

/** Which column of a file is which; null: it has none. */
export interface Columns {
  time: string;
  version: string | null;
  latency: string | null;
  /** Of latencies that name none themselves. */
  latencyUnit: LatencyUnit;
  /** Whether neither the column's name nor anybody says the unit. */
  unitAssumed: boolean;
  ok: string | null;
  /** Whether the column says that a request failed, as `error` does. */
  okMeansFailed: boolean;
  score: string | null;
  /** Whether a comma in a number stands before its fraction. */
  decimalComma: boolean;
}

/** Names that are taken for a column where none is given, best first; without case, and with `_` for any other sign. */
const USUAL: Readonly<Record<Column, RegExp>> = {
  time: /^(time|timestamp|ts|t|datetime|date|at)(_ms|_s|_seconds)?$/,
  version: /^(version|model_version|service_version|arm|variant)$/,
  latency:
    /^(latency|duration|response_time|request_time|upstream_response_time|elapsed|took)(_(ms|s|seconds|milliseconds|us|ns))?$/,
  ok: /^(ok|success|succeeded|status|status_code|http_status|code|error|failed|outcome)$/,
  score: /^(score|probability|prob|confidence)$/,
};

/** @throws LukhasError USAGE for columns that are not there */
export function columnsOf(
  names: readonly string[],
  given: Readonly<Partial<Record<Column, string>>>,
  unit: LatencyUnit | null,
  { file, decimalComma }: { file: string; decimalComma: boolean },
): Columns {
  const plain = (name: string) =>
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '');
  const find = (column: Column): string | null => {
    const wanted = given[column];
    if (wanted === undefined) return names.find((name) => USUAL[column].test(plain(name))) ?? null;
    if (names.includes(wanted)) return wanted;
    const near = nearest(wanted, names);
    throw new LukhasError('USAGE', `--${column}-column ${wanted}: ${file} has no such column`, {
      suggestions: [near === null ? `It has: ${names.join(', ')}.` : `Did you mean ${near}?`],
    });
  };
  const [time, version, latency, ok, score] = COLUMNS.map(find) as [
    string | null,
    string | null,
    string | null,
    string | null,
    string | null,
  ];
  if (time === null && names.some((name) => /^\d{4}-|^\d{9,}/.test(name) && timeOf(name, decimalComma) !== null))
    throw new LukhasError('USAGE', `${file}:1: no header: the first line is a request (${names.join(', ')})`, {
      suggestions: ['Write a line with the names of the columns before it, e.g. time,version,latency_ms,status.'],
    });
  if (time === null) throw missing(file, names, 'no column of times', '--time-column NAME');
  if (latency === null && ok === null && score === null)
    throw missing(file, names, 'no column to judge by', '--latency-column, --ok-column or --score-column NAME');
  return {
    time,
    version,
    latency,
    latencyUnit: unit ?? unitOf(latency ?? '') ?? (IN_SECONDS.test(latency ?? '') ? 's' : 'ms'),
    unitAssumed: latency !== null && unit === null && unitOf(latency) === null,
    ok,
    okMeansFailed: /^(error|errors|err|failed|failure|exception)$/.test(plain(ok ?? '')),
    score,
    decimalComma,
  };
}

function missing(file: string, names: readonly string[], what: string, flag: string): LukhasError {
  return new LukhasError('USAGE', `${file}: ${what} found (${names.slice(0, 20).join(', ')})`, {
    suggestions: [`Name it: ${flag}.`],
  });
}

/** These are seconds in the logs of nginx. */
const IN_SECONDS = /^(request_time|upstream_response_time)$/i;
const UNITS: ReadonlyMap<string, LatencyUnit> = new Map(
  (
    [
      ['s', 's sec secs seconds'],
      ['ms', 'ms msec millis milliseconds'],
      ['us', 'us \u00b5s \u03bcs micros microseconds'],
      ['ns', 'ns nanos nanoseconds'],
    ] as const
  ).flatMap(([unit, words]) => words.split(' ').map((word): [string, LatencyUnit] => [word, unit])),
);

/** What the last word of a column's name says; null: nothing. */
function unitOf(name: string): LatencyUnit | null {
  return UNITS.get(/[^a-z]([a-z]+)\)?$/i.exec(name)?.[1]?.toLowerCase() ?? '') ?? null;
}

/** A request as it is counted. `latency` is milliseconds; undefined where the file does not say. */
export interface Request {
  /** Milliseconds since the epoch. */
  at: number;
  version: string;
  latency?: number;
  ok?: boolean;
  score?: number;
}

/** What programs write where there is no value. */
const NO_VALUE = /^(|-|nan|null|none|nil|na|n\/a|\\n)$/i;

/** @returns the request, or in words what is wrong with the row */
export function requestOf(cells: Readonly<Record<string, string>>, columns: Columns): Request | string {
  const text = (name: string | null): string => (name === null ? '' : (cells[name] ?? ''));
  const { decimalComma } = columns;
  const at = timeOf(text(columns.time), decimalComma);
  if (at === null)
    return `${columns.time}: ${JSON.stringify(text(columns.time))} is not a time; use 2026-03-01T12:00:00Z, or seconds or milliseconds since 1970`;
  const request: Request = { at, version: text(columns.version) };
  if (columns.version !== null && request.version === '') return `${columns.version}: no version`;
  const [latency, ok, score] = [text(columns.latency), text(columns.ok), text(columns.score)];
  if (!NO_VALUE.test(latency)) {
    const value = latencyOf(latency, columns);
    if (!(value >= 0 && value < Number.MAX_SAFE_INTEGER))
      return `${columns.latency}: ${JSON.stringify(latency)} is not a latency`;
    request.latency = value;
  }
  if (columns.ok !== null) {
    const good = columns.okMeansFailed ? notFailed(ok) : isGood(ok);
    if (good === null)
      return `${columns.ok}: ${JSON.stringify(ok)} does not say whether the request succeeded; use true or false, or an HTTP status`;
    request.ok = good;
  }
  if (!NO_VALUE.test(score)) {
    const value = numberOf(score, decimalComma);
    if (!Number.isFinite(value)) return `${columns.score}: ${JSON.stringify(score)} is not a number`;
    request.score = value;
  }
  return request;
}

/** Milliseconds. A latency may carry its own unit: `79.7ms`. */
function latencyOf(text: string, { latencyUnit, decimalComma }: Columns): number {
  const [, number = text, word] = /^(.*\d[.,]?)\s?([a-z\u00b5\u03bc]+)$/i.exec(text) ?? [];
  const unit = word === undefined ? latencyUnit : UNITS.get(word.toLowerCase());
  return unit === undefined ? Number.NaN : numberOf(number, decimalComma) * LATENCY_UNITS[unit];
}

function numberOf(text: string, decimalComma: boolean): number {
  const written = decimalComma ? text.replace(/^([+-]?\d*),(\d+)$/, '$1.$2') : text;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(written) ? Number(written) : Number.NaN;
}

const ISO = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?) ?(Z|z|UTC|[+-]\d{2}:?\d{2})?$/;
/** The day first, as it is written with dots; with slashes nobody knows which is the day. */
const DOTTED = /^(\d{1,2})\.(\d{1,2})\.(\d{4}),? (\d{1,2})(:\d{2}(?::\d{2}(?:[.,]\d+)?)?)$/;
/** Where numbers are no longer seconds (2286), milliseconds, microseconds. */
const EPOCHS: readonly [number, number][] = [
  [1e10, 1000],
  [1e13, 1],
  [1e16, 1e-3],
  [1e19, 1e-6],
];

/** Milliseconds since the epoch; a time without a zone is UTC. Null: not a time. */
function timeOf(text: string, decimalComma: boolean): number | null {
  const number = numberOf(text, decimalComma);
  if (number >= 0) {
    const scale = EPOCHS.find(([below]) => number < below)?.[1];
    return scale === undefined ? null : Math.floor(number * scale);
  }
  const pad = (part: string) => part.padStart(2, '0');
  const iso = text.replace(DOTTED, (_, d: string, m: string, y: string, h: string, rest: string) => {
    return `${y}-${pad(m)}-${pad(d)} ${pad(h)}${rest}`;
  });
  const [, day, clock, zone = 'Z'] = ISO.exec(iso) ?? [];
  if (day === undefined || clock === undefined) return null;
  const offset = /^[+-]/.test(zone) ? zone.replace(/^(...):?/, '$1:') : 'Z';
  const at = Date.parse(`${day}T${clock.replace(',', '.')}${offset}`);
  // The 31st of February is the 3rd of March to Date.parse.
  const real = new Date(`${day}T00:00:00Z`);
  const isReal = !Number.isNaN(real.getTime()) && real.toISOString().slice(0, 10) === day;
  return Number.isNaN(at) || at < 0 || !isReal ? null : at;
}

/** A status of three digits is HTTP's: 5xx failed. Null: it does not say. */
function isGood(text: string): boolean | null {
  if (/^[1-5]\d\d$/.test(text)) return !text.startsWith('5');
  if (/^(true|t|yes|y|1|ok|success|succeeded|pass|passed)$/i.test(text)) return true;
  if (/^(false|f|no|n|0|ko|error|fail|failed|failure|timeout|aborted)$/i.test(text)) return false;
  return null;
}

/** Of a column that names the error: whatever it says is one. */
function notFailed(text: string): boolean {
  return /^(|false|f|no|n|0|none|null|nil|-)$/i.test(text);
}

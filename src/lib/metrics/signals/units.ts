import { clip } from '../../input/index.js';
import type { Unit } from './signals.js';

/** How units are spelt at the end of a metric's name, in `# UNIT` lines and by OpenTelemetry (UCUM). */
const SPELLINGS: Readonly<Record<Unit, readonly string[]>> = {
  s: ['s', 'sec', 'secs', 'second', 'seconds'],
  ms: ['ms', 'msec', 'millis', 'millisecond', 'milliseconds'],
  us: ['us', 'usec', 'micros', 'microsecond', 'microseconds', '\u00b5s', '\u03bcs'],
  ns: ['ns', 'nsec', 'nanos', 'nanosecond', 'nanoseconds'],
  '1': ['1', 'bytes', 'byte', 'by', 'tokens', 'token', '{token}', 'ratio', 'ratios', 'percent', 'celsius', 'score'],
};

const WORDS: ReadonlyMap<string, Unit> = new Map(
  (Object.keys(SPELLINGS) as Unit[]).flatMap((unit) => SPELLINGS[unit].map((word) => [word, unit] as const)),
);

const IN_WORDS: Readonly<Record<Unit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  '1': 'a plain number',
};

/** Milliseconds in one of each; of a plain number, itself. */
export const SCALES: Readonly<Record<Unit, number>> = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6, '1': 1 };

/**
 * Histograms of OpenTelemetry whose exported name may lack the unit; all are in seconds.
 * https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, .../gen-ai/gen-ai-metrics/, .../rpc/rpc-metrics/, .../database/database-metrics/
 */
const OTEL_SECONDS = new Set([
  'http_server_request_duration',
  'http_client_request_duration',
  'gen_ai_client_operation_duration',
  'gen_ai_server_request_duration',
  'gen_ai_server_time_to_first_token',
  'gen_ai_server_time_per_output_token',
  'rpc_server_call_duration',
  'rpc_client_call_duration',
  'db_client_operation_duration',
]);

/** The same of earlier versions, in milliseconds. Others use these names too, so nothing is assumed. */
const OTEL_MILLISECONDS = new Set([
  'http_server_duration',
  'http_client_duration',
  'rpc_server_duration',
  'rpc_client_duration',
]);

/**
 * The unit that a histogram's name tells by convention (`_seconds`, `_ms`, names of OpenTelemetry), and who says so; null: none.
 * https://prometheus.io/docs/practices/naming/#base-units
 */
export function unitOfName(name: string): { unit: Unit; because: string } | null {
  const plain = name.toLowerCase().replaceAll('.', '_');
  if (OTEL_SECONDS.has(plain)) return { unit: 's', because: `OpenTelemetry defines ${name} in seconds` };
  const base = plain.replace(/_(histogram|hist|distribution)$/, '');
  const last = /[_:]([a-z]+)$/.exec(base)?.[1];
  const unit = last === undefined ? undefined : WORDS.get(last);
  return unit === undefined ? null : { unit, because: `the name ${name} says ${wordsOf(unit, last!)}` };
}

/**
 * The unit of a histogram: as given, else as its name says, else `usual`.
 * @returns `problem` where the given unit contradicts the name, or none can be assumed
 */
export function unitFor(name: string, given: Unit | undefined, usual: Unit): { unit: Unit } | { problem: string } {
  const told = unitOfName(name);
  if (given === undefined) {
    if (told === null && OTEL_MILLISECONDS.has(name.toLowerCase().replaceAll('.', '_')))
      return {
        problem: `the name ${name} does not say its unit, and older OpenTelemetry has it in milliseconds: add unit: ms (or unit: s)`,
      };
    return { unit: told?.unit ?? usual };
  }
  if (told === null || told.unit === given) return { unit: given };
  return { problem: `${told.because}, but unit is ${given}: write unit: ${told.unit}, or leave unit out` };
}

/**
 * What is wrong when a page's `# UNIT` line (or a metadata answer) says `word` of a histogram that is read in `unit`.
 * @returns null when they agree, or the word is none that is known
 */
export function unitContradiction(name: string, unit: Unit, word: string): string | null {
  const told = WORDS.get(word.trim().toLowerCase());
  if (told === undefined || told === unit) return null;
  return `${name} is read in ${IN_WORDS[unit]}, but its page says "# UNIT ${name} ${word.trim()}": write unit: ${told}`;
}

/**
 * The same of its `# HELP` line: where that names one unit of time and no other.
 * @returns null when they agree, or the line says nothing for certain
 */
export function helpContradiction(name: string, unit: Unit, help: string): string | null {
  const words = help.toLowerCase().match(/[a-z\u00b5\u03bc]+/g) ?? [];
  // "s" alone stands for many things.
  const told = new Set(words.filter((word) => word.length > 1).flatMap((word) => TIMES.get(word) ?? []));
  const [only] = told;
  if (told.size !== 1 || only === unit || unit === '1') return null;
  return `${name} is read in ${IN_WORDS[unit]}, but its page says "# HELP ${name} ${clip(help, 100)}": write unit: ${only}`;
}

/** Spellings of the units of time. */
const TIMES: ReadonlyMap<string, Unit> = new Map([...WORDS].filter(([, unit]) => unit !== '1'));

function wordsOf(unit: Unit, last: string): string {
  return unit === '1' ? last : IN_WORDS[unit];
}

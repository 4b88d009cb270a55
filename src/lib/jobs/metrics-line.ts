import * as z from 'zod';
import { quote } from '../input/index.js';
import type { JobMetrics } from './builtin.js';

/** Longest last line that is read, bytes. */
export const LINE_BYTES = 65_536;
const KEYS = 64;
const NAME_CHARACTERS = 64;
const TEXT_CHARACTERS = 1000;
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

const text = z
  .string()
  .refine((value) => value.length <= TEXT_CHARACTERS, `is a text of more than ${TEXT_CHARACTERS} characters`)
  .refine((value) => !/\p{Cs}/u.test(value), 'is not valid Unicode text');

/** Numbers are finite; nothing is nested. */
const value = z.union([z.number(), text, z.boolean(), z.null()]);

/** What was read, or why it cannot be taken for metrics, as the end of a sentence. */
export type ReadMetrics = { metrics: JobMetrics } | { problem: string };

/**
 * Reads the last line of what a program wrote on stdout; blank lines after it are passed over.
 * @param end the end of stdout, at most `LINE_BYTES`
 * @param truncated whether there was more before it
 */
export function readMetricsLine(end: Buffer, truncated: boolean): ReadMetrics {
  const written = end.toString('utf8').trimEnd();
  if (written === '') return { problem: truncated ? 'the last lines of stdout are blank' : 'stdout is empty' };
  const begin = written.lastIndexOf('\n') + 1;
  if (begin === 0 && truncated) return { problem: `the last line of stdout is longer than ${LINE_BYTES} bytes` };
  const line = written.slice(begin).trim();
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return { problem: `the last line of stdout is not JSON: ${quote(line)}` };
  }
  return checkMetrics(parsed, 'the last line of stdout');
}

/** @param where named in the problem */
export function checkMetrics(given: unknown, where: string): ReadMetrics {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { problem: `${where} is ${quote(given)}, not a JSON object` };
  const entries = Object.entries(given);
  if (entries.length > KEYS) return { problem: `${where} has ${entries.length} keys; at most ${KEYS} are kept` };
  const metrics: JobMetrics = {};
  for (const [name, found] of entries) {
    if (!isName(name))
      return {
        problem: `${where} has the key ${quote(name)}: a name is 1 to 64 printable characters, and not __proto__`,
      };
    const checked = value.safeParse(found);
    if (!checked.success) return { problem: `${where}: ${name} ${whyNot(found)}` };
    metrics[name] = checked.data;
  }
  return { metrics };
}

function isName(name: string): boolean {
  return name !== '' && name.length <= NAME_CHARACTERS && name !== '__proto__' && !UNPRINTABLE.test(name);
}

function whyNot(found: unknown): string {
  const problem = typeof found === 'string' ? text.safeParse(found).error?.issues[0]?.message : undefined;
  if (problem !== undefined) return problem;
  return `is ${quote(found)}: a metric is a finite number, a text, true, false or null`;
}

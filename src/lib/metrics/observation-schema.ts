import { z } from 'zod';
import { LukhasError } from '../errors.js';
import { type ArmReading, MISSING_STATES, type Observation } from '../judge/index.js';

/** An observation as a person may write it: ticks may be left to be numbered. */
export type ObservationInput = Omit<Observation, 'tick'> & { tick?: number };

/** Sums of larger numbers lose counts, and in the end are Infinity. */
const LARGEST = Number.MAX_SAFE_INTEGER;
/** Last time that a Date can hold, milliseconds since the epoch (ECMA-262, 21.4.1.1). */
const LAST_TIME = 8.64e15;
const tooLarge = { error: `too large, at most ${LARGEST}` };

const count = z.number().nonnegative().max(LARGEST, tooLarge);
const time = z
  .int()
  .nonnegative()
  .max(LAST_TIME, 'too large for milliseconds since the epoch')
  .describe('milliseconds since the epoch');
const missing = z.strictObject({ state: z.enum(MISSING_STATES), detail: z.string().exactOptional() });

const ratio = z
  .strictObject({ state: z.literal('ok'), bad: count, total: count })
  .refine(({ bad, total }) => bad <= total, {
    path: ['bad'],
    error: ({ input }) => `${shown(input, 'bad')} of ${shown(input, 'total')}: more than all`,
  });

const histogram = z
  .strictObject({
    state: z.literal('ok'),
    bounds: z.array(z.number()).min(1).describe('upper bounds of the buckets, rising'),
    counts: z.array(count).describe('one more than bounds: the last counts what is above the last bound'),
  })
  .check(({ value, issues }) => {
    const { bounds, counts } = value;
    const problem = (path: (string | number)[], message: string) =>
      issues.push({ code: 'custom', path, message, input: value });
    const falls = bounds.findIndex((bound, i) => i > 0 && bound <= bounds[i - 1]!);
    if (falls > 0) problem(['bounds', falls], `expected more than ${bounds[falls - 1]}, got ${bounds[falls]}`);
    if (counts.length !== bounds.length + 1) {
      problem(['counts'], `expected ${bounds.length + 1} numbers, got ${counts.length}`);
    }
  });

const scalar = z.strictObject({
  state: z.literal('ok'),
  value: z.number().min(-LARGEST, tooLarge).max(LARGEST, tooLarge),
});

const categories = z.strictObject({ state: z.literal('ok'), counts: z.record(z.string(), count) });

const places = z
  .strictObject({
    expected: z.int().nonnegative(),
    up: z.int().nonnegative(),
    unchanged: z.literal(true).exactOptional(),
  })
  .refine(({ expected, up }) => up <= expected, { path: ['up'], error: 'more than expected' });

const uncounted = z.strictObject({
  errors: z.strictObject({ bad: count, total: count }).exactOptional(),
  histograms: z
    .record(z.string(), z.strictObject({ bounds: z.array(z.number()).min(1), counts: z.array(count) }))
    .exactOptional(),
});

const unknownState = { error: `expected "ok" or one of ${MISSING_STATES.join(', ')}` };
const arm = z.strictObject({
  errors: z.discriminatedUnion('state', [ratio, missing], unknownState).exactOptional(),
  latency: z.discriminatedUnion('state', [histogram, missing], unknownState).exactOptional(),
  score: z.discriminatedUnion('state', [histogram, missing], unknownState).exactOptional(),
  histograms: z.record(z.string(), z.discriminatedUnion('state', [histogram, missing], unknownState)).exactOptional(),
  categories: z.discriminatedUnion('state', [categories, missing], unknownState).exactOptional(),
  targets: places.exactOptional(),
  restarts: z.int().nonnegative().exactOptional(),
  leftOut: uncounted.exactOptional(),
  waiting: uncounted.exactOptional(),
  inflight: count.exactOptional(),
  resets: z.int().nonnegative().exactOptional(),
});

/** Of one arm, as it is stored. */
export const armReadingSchema: z.ZodType<ArmReading> = arm;

const fields = z.strictObject({
  v: z.literal(1),
  tick: z.int().nonnegative(),
  t: time,
  from: time,
  canary: arm,
  baseline: arm.exactOptional(),
  scalars: z.record(z.string(), z.discriminatedUnion('state', [scalar, missing], unknownState)).exactOptional(),
  notes: z.array(z.string()).exactOptional(),
});

const spans = { path: ['from'], error: 'later than t' };
const observationSchema: z.ZodType<Observation> = fields.refine(({ from, t }) => from <= t, spans);
const inputSchema: z.ZodType<ObservationInput> = fields
  .extend({ tick: fields.shape.tick.exactOptional() })
  .refine(({ from, t }) => from <= t, spans);

/**
 * One line of NDJSON as an observation.
 * @param where names the line in errors, e.g. `observations.ndjson:12`
 * @throws LukhasError OBSERVATION, e.g. `observations.ndjson:12: canary.latency.counts: expected 5 numbers, got 4`
 */
export function parseObservation(line: string, where: string): Observation {
  return parse(observationSchema, line, where);
}

/** Like `parseObservation`, where `tick` may be left out. */
export function parseObservationInput(line: string, where: string): ObservationInput {
  return parse(inputSchema, line, where);
}

/** JSON Schema (2020-12) of an observation, for documentation and editors. It cannot say how fields relate. */
export function observationJsonSchema(): unknown {
  return z.toJSONSchema(observationSchema);
}

function parse<T>(schema: z.ZodType<T>, line: string, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new LukhasError('OBSERVATION', `${where}: not JSON (${(cause as Error).message})`, { cause });
  }
  const twice = repeatedKey(line);
  if (twice !== null) throw new LukhasError('OBSERVATION', `${where}: ${JSON.stringify(twice)} is given twice`);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  const place = path.length === 0 ? '' : `${z.core.toDotPath(path)}: `;
  throw new LukhasError('OBSERVATION', `${where}: ${place}${message.replace(/^Invalid input: /, '')}`, {
    suggestions: ['docs/observations.md describes the format'],
  });
}

const KEYS_AND_BRACES = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}]/g;

/** First key that an object of a valid JSON text has twice, of which JSON.parse would take the last; null: none. */
function repeatedKey(json: string): string | null {
  const open: Set<string>[] = [];
  for (const [token, text, colon] of json.matchAll(KEYS_AND_BRACES)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(`"${text}"`) as string;
      if (open.at(-1)!.has(key)) return key;
      open.at(-1)!.add(key);
    }
  }
  return null;
}

function shown(input: unknown, field: string): unknown {
  return (input as Record<string, unknown>)[field];
}

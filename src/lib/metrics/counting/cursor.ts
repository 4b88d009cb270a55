import { z } from 'zod';
import { isNoise } from './histogram.js';

/** Numbers outside of these are of a row that was damaged: counted on from them, requests would come out of nothing. */
const time = z.number().nonnegative();
const total = z.number().nonnegative().max(Number.MAX_SAFE_INTEGER);
const perMs = z.number().nonnegative();
const totalsSchema = z
  .object({ bounds: z.array(z.number()).min(1), totals: z.array(total) })
  .refine(({ bounds, totals }) => totals.length === bounds.length + 1)
  .refine(({ totals }) => totals.every((one, i) => i === 0 || one >= totals[i - 1]! || isNoise(totals[i - 1]!, one)));
/** Null: the series is there, but where it stood could not be read: its next value is a starting point. */
const valuesSchema = z.record(z.string(), total.nullable());
const histogramsSchema = z.record(z.string(), z.record(z.string(), totalsSchema).nullable());

/** Where the counters of a process stood at one look. */
const lineSchema = z.object({ series: valuesSchema, histograms: histogramsSchema });
export type Line = z.infer<typeof lineSchema>;

const leftSchema = z.object({
  errors: z.object({ bad: z.number(), total: z.number() }).exactOptional(),
  histograms: z
    .record(z.string(), z.object({ bounds: z.array(z.number()), counts: z.array(z.number()) }))
    .exactOptional(),
});

/** A line that the counters left. */
const otherSchema = lineSchema.extend({
  seen: time,
  /** Looks since then. */
  looks: z.int().nonnegative(),
  /** Whether they fell from it, else they jumped up. */
  above: z.boolean(),
  /** Whether the counts of the fall wait for what the next look tells. */
  held: z.boolean(),
  /** Of `held`: they did not fall from it, but rose faster than can be believed of a process whose rate is not known. */
  risen: z.boolean().optional(),
  /** Of `held`: series and histograms that count on from here, though others fell. */
  on: z.array(z.string()).optional(),
  /** By how much the fastest series jumped, per millisecond: if it goes on so, it was no other process. */
  rate: perMs.optional(),
  /**
   * A rise that was counted and was unusual, or the first of all, and how fast it was before (null: not known). A fall
   * back to this line tells that it was no rise.
   */
  rose: z.object({ by: total, calm: perMs.nullable() }).optional(),
});
export type OtherLine = z.infer<typeof otherSchema>;

const processSchema = lineSchema.extend({
  target: z.string(),
  /** When it was last read: the newest timestamp of its samples, or the time of the look. */
  seen: time,
  /** How often it was read of late, milliseconds. */
  every: z.number().optional(),
  startedAt: time.optional(),
  /** Creation times of series and histograms, where the source gives them. */
  created: z.record(z.string(), z.number()).optional(),
  /** Its target has answered without any series of it since. */
  gone: z.boolean().optional(),
  /** Series and histograms that its last look did not show: whether they still stand where they stood is not known. */
  away: z.preprocess((given) => (given === true ? [] : given), z.array(z.string()).optional()),
  /** Of differences of counters: requests that it was serving where its counts were last given out. */
  inflight: z.number().optional(),
  /** The most that one of its series rose, per millisecond, of late; null: not measured yet. */
  rate: perMs.nullable(),
  /** Start times of processes that answered in its place before. */
  former: z.array(z.number()),
  /** Where the counters stood before they fell or jumped, while it may still be asked whether they return there. */
  other: otherSchema.optional(),
  /** What it counted and is in no signal, because the next look tells what it is. */
  waiting: leftSchema.optional(),
  /** Two processes answer in turn: for so many looks in a row the same one has answered. */
  turn: z.int().nonnegative().optional(),
});
export type ProcessCursor = z.infer<typeof processSchema>;

const cursorSchema = z.object({
  v: z.literal(1),
  /** The last look that read anything, and the first one of all. */
  at: time,
  begin: time,
  processes: z.record(z.string(), processSchema),
  /** When each target was last read in full. */
  targets: z.record(z.string(), time),
  /** Increments not given out yet, because the other half of the ratio was missing. */
  carry: z.object({ bad: z.number(), total: z.number() }),
  /**
   * Of differences of counters: by how many more requests were being served at the ends of what was counted than at its
   * beginnings, over all processes.
   */
  running: z.number().optional(),
  /** And how many were being served at those beginnings. */
  began: z.number().optional(),
  /** Requests that look like failures, by a label by which failures are told, and that no selector of failures selects. */
  doubtful: z.number().optional(),
  /** What has been counted since the start, and what of it has been given out. */
  settling: z
    .object({
      bad: z.number(),
      total: z.number(),
      givenBad: z.number(),
      givenTotal: z.number(),
      /** The deepest fall of the difference. */
      noise: z.number(),
      /** What was running at the last look, and at how many looks since the start that has not fallen; null: it has. */
      running: z.number().optional(),
      rising: z.number().nullable().optional(),
      /** What has not been given out, and how much of it may have failed. */
      open: z.object({ bad: z.number(), total: z.number() }).optional(),
    })
    .nullable(),
  /** Up to when the increments of each signal have been given out; left out: it has no starting point yet. */
  since: z.record(z.string(), time),
  /** Newest timestamp of each signal's series, if the source gives timestamps. */
  newest: z.record(z.string(), time),
});

/** Where the counters of an arm stood at the last look. Plain JSON. */
export type ArmCursor = z.infer<typeof cursorSchema>;

export const armCursorSchema = cursorSchema.nullable();

/** What is stored of the last check; where it cannot be used, the next one is a starting point, and `lost` says so. */
export interface StoredCounters<C> {
  cursor: C | null;
  lost: string | null;
}

/**
 * Reads what an adapter stored. A row that was damaged, or that another version wrote in another form, ends no canary: it
 * is one check without counts, which a note tells.
 */
export function storedCounters<C>(schema: z.ZodType<C | null>, stored: unknown): StoredCounters<C> {
  if (stored === null || stored === undefined) return { cursor: null, lost: null };
  const read = schema.safeParse(stored);
  if (read.success) return { cursor: read.data, lost: null };
  const lost =
    'the stored counters are damaged, or of another version of lukhas: counts since the last check are left out';
  return { cursor: null, lost };
}

/**
 * Milliseconds since a process was last read. Where the clock was set back since then, it is taken to be as long as of late:
 * what it counted would otherwise be too much for no time at all.
 */
export function elapsedSince({ seen, every }: Pick<ProcessCursor, 'seen' | 'every'>, time: number): number {
  return time > seen ? time - seen : Math.max(1, every ?? USUAL_MS);
}

const USUAL_MS = 1000;

/** A copy that may be changed: processes are replaced whole. */
export function nextCursor(previous: ArmCursor | null, at: number): ArmCursor {
  if (previous === null) {
    const nothing = { processes: {}, targets: {}, since: {}, newest: {}, settling: null };
    return { v: 1, at, begin: at, ...nothing, carry: { bad: 0, total: 0 } };
  }
  const { processes, targets, carry, settling, since, newest } = previous;
  return {
    ...previous,
    at,
    processes: { ...processes },
    targets: { ...targets },
    carry: { ...carry },
    settling: settling && { ...settling },
    since: { ...since },
    newest: { ...newest },
  };
}

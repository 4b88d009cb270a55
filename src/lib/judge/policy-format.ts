import * as z from 'zod';
import { isDuration } from '../input/index.js';
import { isScalarName, parseObjectiveText } from './objective-text.js';

/** 30 days, the time for which readings are kept. */
export const LONGEST_WINDOW_SECONDS = 30 * 86_400;

const seconds = (most: number) => z.number({ error: wantsSeconds }).positive().max(most);

const latency = () =>
  z
    .number()
    .positive({ error: ({ input }) => `must be more than 0 milliseconds, got ${input}` })
    .optional();

const alpha = () =>
  z
    .number()
    .gt(0, { error: ({ input }) => `must be above 0, got ${input}: no finite evidence is free of error` })
    .lte(0.5, { error: ({ input }) => `must be at most 0.5, got ${input}${percentHint(input)}` });

const share = () =>
  z
    .number()
    .min(0)
    .max(1, { error: ({ input }) => `must be between 0 and 1, got ${input}${percentHint(input)}` });

const approvals = z.strictObject({
  required: z.int().min(1).max(10).describe('How many different people must approve a promotion.'),
  not: z
    .enum(['requester', 'nobody'])
    .default('requester')
    .describe('requester: the person who requested it may not approve it. nobody: everybody may.'),
  expiresAfter: z
    .string()
    .superRefine(isDuration({ isPositive: true, most: LONGEST_WINDOW_SECONDS }))
    .default('24h')
    .describe('Time after the decision in which it can be approved and carried out, e.g. 24h; at most 30d.'),
});

const objective = z.union([
  z.string().transform((text, context) => {
    const read = parseObjectiveText(text);
    if (read.ok) return read.objective;
    context.issues.push({ code: 'custom', message: read.message, input: text });
    return z.NEVER;
  }),
  z.strictObject({
    name: z
      .string()
      .refine(isScalarName, { error: 'a name is letters, digits, _ and ., and begins with a letter or _' }),
    op: z.enum(['<', '<=', '>', '>=']),
    value: z.number(),
  }),
]);

const targets = z.strictObject({
  latency_p95_ms: latency().describe('At most 5% of requests may take longer than this, milliseconds.'),
  latency_p99_ms: latency().describe('At most 1% of requests may take longer than this, milliseconds.'),
  latency_p50_ms: latency().describe('At most half of the requests may take longer than this, milliseconds.'),
  max_error_rate: z
    .number()
    .gt(0, { error: zeroErrorRate })
    .lt(1, { error: ({ input }) => `must be between 0 and 1, got ${input}${percentHint(input)}` })
    .optional()
    .describe('At most this share of requests may fail, between 0 and 1.'),
  max_drift: z
    .number()
    .positive({ error: ({ input }) => `must be above 0, got ${input}: two finite samples always differ a little` })
    .optional()
    .describe('Largest population stability index of the scores against the baseline.'),
  max_unavailable: share()
    .default(0.05)
    .describe('Share of the checks that the canary may leave unanswered while the baseline answers; 1: no limit.'),
});

/** Policy version 1 as a user writes it; defaults that depend on other keys come from policy-defaults.ts. */
export const policySchema = z
  .strictObject({
    version: z.literal(1).default(1).describe('Version of this format.'),
    name: z.string().min(1).optional().describe('What people call this policy.'),
    windowSeconds: seconds(LONGEST_WINDOW_SECONDS).describe(
      'Seconds after which the canary may be promoted; at most 30 days.',
    ),
    intervalSeconds: seconds(LONGEST_WINDOW_SECONDS / 2)
      .min(0.1)
      .optional()
      .describe('Seconds between two checks. Default 5; in windows below 20 s a quarter of the window, at least 1.'),
    targets: targets.prefault({}).describe('Limits that the canary must keep.'),
    alpha: z
      .strictObject({
        rollback: alpha().default(0.01).describe('Chance of rolling back a healthy canary.'),
        promote: alpha().default(0.01).describe('Chance of promoting a canary that misses a target.'),
      })
      .prefault({})
      .describe('Chance of being wrong, however often the canary is checked.'),
    promote: z
      .enum(['end', 'early'])
      .default('end')
      .describe('end: at the end of the window only. early: as soon as every objective is certified.'),
    onInconclusive: z
      .enum(['block', 'extend', 'promote'])
      .default('block')
      .describe('At the end of the window, when the evidence does not suffice either way.'),
    maxWindowSeconds: seconds(LONGEST_WINDOW_SECONDS)
      .optional()
      .describe('Latest end of the window with onInconclusive: extend. Default 3 * windowSeconds.'),
    onNoData: z
      .enum(['block', 'hold', 'rollback'])
      .default('block')
      .describe('When no objective has had data for noDataSeconds; hold waits for the end of the window.'),
    noDataSeconds: seconds(LONGEST_WINDOW_SECONDS)
      .default(90)
      .describe('Seconds without any data before onNoData applies.'),
    onNeverAnswered: z
      .enum(['block', 'rollback'])
      .default('rollback')
      .describe(
        'When the canary has not answered once for noDataSeconds, or until the end of the window, while its baseline answers.',
      ),
    minCoverage: share()
      .default(0.8)
      .describe('Share of the window that readings must cover before anything is promoted.'),
    baseline: z
      .enum(['auto', 'required', 'none'])
      .default('auto')
      .describe('auto: compare when it is there. required: no promotion without it. none: never look.'),
    relative: z
      .strictObject({
        max_error_ratio: z
          .number()
          .positive()
          .optional()
          .describe("Limit of the canary's error rate over the baseline's."),
        max_slow_ratio: z
          .number()
          .positive()
          .optional()
          .describe("Limit of the canary's share of slow requests over the baseline's."),
      })
      .prefault({})
      .describe('Limits against the baseline.'),
    designEffect: z
      .strictObject({
        batchSize: z.number().min(1).default(1).describe('Most requests that share one fate (a batch, a retry storm).'),
        estimate: z.boolean().default(true).describe('Also estimate the design effect from past readings.'),
      })
      .prefault({})
      .describe('How far requests are from independent.'),
    warmupSeconds: z
      .number()
      .min(0)
      .max(LONGEST_WINDOW_SECONDS)
      .default(0)
      .describe('Seconds after the start whose checks are recorded and not judged; the window begins after them.'),
    maxRestarts: z
      .int()
      .min(0)
      .default(2)
      .describe("Restarts of the canary's processes with which it may be promoted; one more for each further place."),
    maxConsecutiveFailures: z
      .int()
      .min(1)
      .default(3)
      .describe('Consecutive failing readings that roll back, for custom objectives.'),
    maxFailures: share().default(0.1).describe('Share of the readings that may fail where a canary is promoted.'),
    maxMissing: share().default(0.1).describe('Share of the readings that may be missing where a canary is promoted.'),
    reportOnly: z
      .array(z.string())
      .prefault([])
      .describe('Names of objectives that are shown and decide nothing, e.g. latency_p99_ms.'),
    objectives: z
      .array(objective)
      .prefault([])
      .describe('Limits on named scalars: "ttft_p95_ms < 800", or {name, op, value}.'),
    approvals: approvals.optional().describe('People who must approve before anything is promoted. Default: nobody.'),
  })
  .meta({ title: 'lukhas canary policy', description: 'How long a canary is watched and what it must keep to pass.' });

export type PolicyInput = z.output<typeof policySchema>;

function zeroErrorRate({ input }: { input?: unknown }): string {
  if (input !== 0) return `must be between 0 and 1, got ${input}`;
  return '0 can never be certified: choose the smallest rate you care about, e.g. 0.001';
}

function percentHint(input: unknown): string {
  if (typeof input !== 'number' || input < 1 || input >= 100) return '';
  return `; did you mean ${Number((input / 100).toPrecision(12))}?`;
}

function wantsSeconds({ input }: { input?: unknown }): string | undefined {
  if (input === undefined) return 'is missing: a number of seconds, e.g. 120';
  if (typeof input !== 'string') return undefined;
  return `must be a number of seconds, e.g. 120, got ${JSON.stringify(input)}`;
}

import * as z from 'zod';
import { LukhasError } from '../../../lib/errors.js';
import { planArguments, planRequestOf, targets } from '../../requests/index.js';
import { canaryId } from './canaries.js';
import { defineTool } from './tool.js';

/** Values of a sweep: each is a judgement of the whole canary, and each change between two about 40 more. */
const MOST_VALUES = 50;

const outcome = z.enum(['promote', 'rollback', 'block', 'insufficient']);
const side = z.looseObject({
  outcome,
  lacking: z.string().nullable(),
  check: z.number().nullable(),
  afterSeconds: z.number().nullable(),
  why: z.string().nullable(),
});

const sweep = z.strictObject({
  key: z.string().min(1).max(200).describe('e.g. targets.max_error_rate'),
  from: z.number().optional(),
  to: z.number().optional(),
  steps: z.int().min(2).max(MOST_VALUES).default(11).describe('Values from `from` to `to`, both included.'),
  values: z.array(z.number()).min(1).max(MOST_VALUES).optional().describe('In place of from and to.'),
});

export const whatIf = defineTool({
  name: 'what_if',
  title: 'What if',
  toolset: 'canaries',
  description:
    'What another policy would have decided on what a canary recorded. Changes nothing. With sweep, at which values the decision flips.',
  input: z.strictObject({
    canaryId,
    targets: targets.prefault({}).describe('Limits in place of its own.'),
    set: z
      .looseObject({})
      .prefault({})
      .describe('Other keys of the policy to change, e.g. {"windowSeconds": 600}; null removes one.'),
    policy: z.looseObject({}).optional().describe('A whole policy in place of its own.'),
    sweep: sweep.optional(),
  }),
  output: z.looseObject({
    canaryId: z.string(),
    changes: z.array(z.looseObject({ path: z.string() })),
    was: side,
    wouldBe: side,
    flips: z.boolean().nullable().describe('null: the records cannot tell.'),
    sweep: z
      .looseObject({
        key: z.string(),
        values: z.array(z.looseObject({ value: z.number(), outcome, flips: z.boolean() })),
        flipPoints: z.array(z.looseObject({ below: z.number(), above: z.number(), from: outcome, to: outcome })),
      })
      .optional(),
  }),
  async run(service, { canaryId: id, targets: limits, set, policy = null, sweep: swept }, { signal }) {
    if (Object.keys(limits).length + Object.keys(set).length === 0 && policy === null && swept === undefined)
      throw new LukhasError('USAGE', 'arguments of what_if: nothing is changed.', {
        suggestions: ['Give targets, set, policy or sweep, e.g. {"targets": {"max_error_rate": 0.05}}.'],
      });
    const tried = swept === undefined ? null : { key: swept.key, values: valuesOf(swept) };
    const asked = { canaryId: id, policy, set: { ...limits, ...set }, sweep: tried };
    const { sweep: found, ...answer } = await service.whatIf(asked, signal);
    return found === null ? answer : { ...answer, sweep: found };
  },
});

/** @throws LukhasError USAGE */
function valuesOf({ from, to, steps, values }: z.output<typeof sweep>): number[] {
  if (values !== undefined && from === undefined && to === undefined) return values;
  if (values !== undefined || from === undefined || to === undefined || from >= to)
    throw new LukhasError('USAGE', 'arguments of what_if: sweep: needs either values, or from and a greater to.', {
      suggestions: ['e.g. {"key": "targets.max_error_rate", "from": 0.01, "to": 0.05, "steps": 9}'],
    });
  // Of as many digits as the exact flip points have.
  return Array.from({ length: steps }, (_, i) => Number((from + ((to - from) * i) / (steps - 1)).toPrecision(12)));
}

export const plan = defineTool({
  name: 'plan',
  title: 'Plan a canary',
  toolset: 'canaries',
  description:
    'Before a canary is started: whether traffic is enough for the targets, and how long a verdict takes. Starts nothing.',
  input: planArguments,
  output: z.looseObject({
    decidable: z.boolean(),
    windowSeconds: z.number(),
    windowRequests: z.number(),
    objectives: z.array(
      z.looseObject({
        name: z.string(),
        promotion: z.looseObject({
          likelyRequests: z.number().nullable(),
          seconds: z.number().nullable(),
          smallestRequestsPerSecond: z.number().nullable(),
        }),
      }),
    ),
    says: z.array(z.string()),
  }),
  run: (service, args) => service.plan(planRequestOf(args)),
});

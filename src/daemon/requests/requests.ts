import * as z from 'zod';
import type { PlanRequest } from '../service.js';
import { name } from './name.js';

const WINDOW_MOST = 30 * 86_400;

export const targets = z.strictObject({
  latency_p95_ms: z.number().positive().optional(),
  max_error_rate: z.number().gt(0).lt(1).optional().describe('Share above 0 and below 1, e.g. 0.02.'),
  max_drift: z.number().positive().optional().describe('PSI, e.g. 0.15.'),
});

const windowSeconds = z.number().positive().max(WINDOW_MOST).optional();

export const startArguments = z.strictObject({
  modelId: name.describe('The version to promote.'),
  fromGate: name.describe('Gate it is in now, e.g. stage.'),
  toGate: name.describe('Gate to promote it to, e.g. production.'),
  windowSeconds: windowSeconds.describe("Length of the window. Default: the configured policy's, or 300."),
  targets: targets.prefault({}).describe('Limits it must meet, added to the configured policy.'),
  dryRun: z.boolean().default(false).describe('Check and decide as usual, but call no hook and change no gate.'),
  allowMissing: z
    .boolean()
    .default(false)
    .describe('Start although the preflight check finds no series of a signal, or nothing answers: they come later.'),
  allowSharedSeries: z
    .boolean()
    .default(false)
    .describe('Start although an open canary reads the same series. Recorded.'),
});

const share = z.number().min(0).lt(1).optional();

export const planArguments = z.strictObject({
  requestsPerSecond: z.number().positive().max(1e9).describe('Traffic of the canary, above 0.'),
  targets: targets.prefault({}).describe('As for start_canary.'),
  windowSeconds: windowSeconds.describe('As for start_canary.'),
  expectedErrorRate: share.describe('Share of a healthy canary; default: half of the limit.'),
  expectedSlowRate: share.describe('Share over the latency limit; default: half of what is allowed.'),
});

export function planRequestOf({
  expectedErrorRate,
  expectedSlowRate,
  ...asked
}: z.output<typeof planArguments>): PlanRequest {
  const expected = {
    ...(expectedErrorRate === undefined ? {} : { errorRate: expectedErrorRate }),
    ...(expectedSlowRate === undefined ? {} : { slowRate: expectedSlowRate }),
  };
  return { ...asked, expected };
}

export const evalArguments = z.strictObject({
  taskId: z.string().min(1).max(200),
  configId: name.nullable().default(null).describe('Passed to the task.'),
  dryRun: z.boolean().default(false),
});

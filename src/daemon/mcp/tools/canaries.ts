import * as z from 'zod';
import { CANARY_STATES } from '../../../lib/ledger/index.js';
import { name, startArguments } from '../../requests/index.js';
import { defineTool } from './tool.js';

export const canaryId = z.string().min(1).max(200).describe('Id, or the start of it if unique.');
const state = z.enum(CANARY_STATES);

const canary = z.looseObject({
  canaryId: z.string(),
  modelId: z.string(),
  fromGate: z.string(),
  toGate: z.string(),
  status: state,
  createdAt: z.string(),
  updatedAt: z.string(),
  policy: z.looseObject({}),
});

const nullable = z.number().nullable();

/** As `CanaryNumbers`; what a model needs to know of it. */
const numbers = z.looseObject({
  check: z.number(),
  at: z.string(),
  phase: z.enum(['warm_up', 'window', 'decided']),
  elapsedSeconds: z.number(),
  windowSeconds: z.number(),
  secondsLeft: nullable,
  evidence: z
    .looseObject({
      logE: z.number(),
      logThreshold: z.number(),
      odds: z.string().describe('Against it, e.g. 381:1.'),
      rollsBackAt: z.string(),
      toRollback: z.number().describe('How far it is to a rollback, 0 to 1.'),
    })
    .describe('Over all objectives.'),
  objectives: z.array(
    z.looseObject({
      name: z.string(),
      state: z.enum(['against', 'certified', 'met_so_far', 'undecided', 'no_data']),
      value: nullable,
      limit: z.number(),
      unit: z.enum(['share', 'ms', '1', 'ratio', 'psi']),
      headroom: nullable,
      n: z.number().describe('What it rests on, e.g. requests.'),
      bad: nullable,
      says: z.string(),
    }),
  ),
  says: z.string(),
});

export const startCanary = defineTool({
  name: 'start_canary',
  title: 'Start a canary',
  toolset: 'canaries',
  description:
    'Watches a model version that already serves traffic, and promotes it to toGate or rolls it back through the configured hooks. Returns immediately; follow it with canary_status.',
  effect: { destructive: true, idempotent: false },
  input: startArguments,
  output: canary,
  run: (service, args, { actor }) => service.startCanary(args, actor),
});

export const canaryStatus = defineTool({
  name: 'canary_status',
  title: 'Canary status',
  toolset: 'canaries',
  description:
    'Status of a canary, with its numbers so far. With waitSeconds, waits until its state changes, at most that long.',
  input: z.strictObject({
    canaryId,
    waitSeconds: z.number().min(0).max(25).default(0),
  }),
  output: canary.extend({ numbers: numbers.optional().describe('As of the newest check; left out before the first.') }),
  run: (service, { canaryId: id, waitSeconds }, { signal, onProgress }) =>
    service.canaryStatus(id, { waitSeconds, signal, onProgress }),
});

export const abortCanary = defineTool({
  name: 'abort_canary',
  title: 'Abort a canary',
  toolset: 'canaries',
  description: 'Ends an undecided canary without promoting or rolling back.',
  effect: { destructive: true, idempotent: false },
  input: z.strictObject({ canaryId, reason: z.string().min(1).max(2000).describe('Recorded in the log.') }),
  output: z.looseObject({ canaryId: z.string(), status: state }),
  async run(service, { canaryId: id, reason }, { actor }) {
    const { canaryId: full, status } = await service.abortCanary(id, reason, actor);
    return { canaryId: full, status };
  },
});

export const why = defineTool({
  name: 'why',
  title: 'Why',
  toolset: 'canaries',
  description: 'Explains what happened to a canary, job, promotion or model, and why. Plain text, from the log.',
  input: z.strictObject({
    id: z.string().min(1).max(500).describe('Id of a canary, job or promotion, or name of a model.'),
  }),
  output: z.looseObject({ id: z.string(), text: z.string() }),
  run: async (service, { id }, { advice }) => ({ id, text: await service.why(id, advice) }),
  text: (value) => (value as { text: string }).text,
});

export const whyMath = defineTool({
  name: 'why_math',
  title: 'Why, in numbers',
  toolset: 'canaries',
  description:
    "The numbers behind a canary's decision: thresholds, observations, evidence, formulas, and whether recomputing gives the same.",
  input: z.strictObject({
    id: z.string().min(1).max(500).describe('Id of a canary, or name of a model (its newest canary).'),
  }),
  output: z.looseObject({
    id: z.string(),
    decision: z.string(),
    thresholds: z.looseObject({ latency_p95_ms: nullable, max_error_rate: nullable, max_drift: nullable }),
    observed: z.looseObject({ latency_p95_ms: nullable, error_rate: nullable, drift: nullable }),
    time_to_action_sec: nullable,
    evidence: z.array(z.looseObject({})),
  }),
  run: (service, { id }) => service.whyMath(id),
});

export const listCanaries = defineTool({
  name: 'list_canaries',
  title: 'List canaries',
  toolset: 'canaries',
  description: 'Canaries, newest first.',
  input: z.strictObject({
    state: state.optional(),
    modelId: name.optional(),
    limit: z.int().min(1).max(200).default(20),
  }),
  output: z.looseObject({
    canaries: z.array(z.looseObject({ canaryId: z.string(), status: state })),
    warning: z.string().optional(),
  }),
  async run(service, { state: only, modelId, limit }, { advice }) {
    const { summaries, warning } = await service.listCanaries({
      limit,
      ...(only === undefined ? {} : { states: [only] }),
      ...(modelId === undefined ? {} : { modelId }),
    });
    return {
      ...(warning === null ? {} : { warning: advice(warning) }),
      canaries: summaries.map(({ subject, modelId: model, state: status, createdAt, updatedAt, data }) => ({
        canaryId: subject,
        modelId: model,
        status,
        createdAt,
        updatedAt,
        ...data,
      })),
    };
  },
});

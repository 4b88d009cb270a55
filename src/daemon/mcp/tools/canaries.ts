import * as z from 'zod';
import { CANARY_STATES } from '../../../lib/ledger/index.js';
import { name } from './name.js';
import { defineTool } from './tool.js';

const WINDOW_MOST = 30 * 86_400;

const canaryId = z.string().min(1).max(200).describe('Id, or the start of it if unique.');
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

export const startCanary = defineTool({
  name: 'start_canary',
  title: 'Start a canary',
  toolset: 'canaries',
  description:
    'Watches a model version that already serves traffic, and promotes it to toGate or rolls it back through the configured hooks. Returns immediately; follow it with canary_status.',
  effect: { destructive: true, idempotent: false },
  input: z.strictObject({
    modelId: name.describe('The version to promote.'),
    fromGate: name.describe('Gate it is in now, e.g. stage.'),
    toGate: name.describe('Gate to promote it to, e.g. production.'),
    windowSeconds: z
      .number()
      .positive()
      .max(WINDOW_MOST)
      .optional()
      .describe("Length of the window. Default: the configured policy's, or 300."),
    targets: z
      .strictObject({
        latency_p95_ms: z.number().positive().optional(),
        max_error_rate: z.number().gt(0).lt(1).optional().describe('Share, e.g. 0.02.'),
        max_drift: z.number().positive().optional().describe('PSI, e.g. 0.15.'),
      })
      .prefault({})
      .describe('Limits it must meet, added to the configured policy.'),
    dryRun: z.boolean().default(false).describe('Check and decide as usual, but call no hook and change no gate.'),
    allowMissing: z
      .boolean()
      .default(false)
      .describe('Start although the preflight check finds no series of a signal, or nothing answers: they come later.'),
    allowSharedSeries: z
      .boolean()
      .default(false)
      .describe('Start although an open canary reads the same series. Recorded.'),
  }),
  output: canary,
  run: (service, args, { actor }) => service.startCanary(args, actor),
});

export const canaryStatus = defineTool({
  name: 'canary_status',
  title: 'Canary status',
  toolset: 'canaries',
  description: 'Status of a canary. With waitSeconds, waits until its state changes, at most that long.',
  input: z.strictObject({
    canaryId,
    waitSeconds: z.number().min(0).max(25).default(0),
  }),
  output: canary,
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
  run: async (service, { id }) => ({ id, text: await service.why(id) }),
  text: (value) => (value as { text: string }).text,
});

const number = z.number().nullable();

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
    thresholds: z.looseObject({ latency_p95_ms: number, max_error_rate: number, max_drift: number }),
    observed: z.looseObject({ latency_p95_ms: number, error_rate: number, drift: number }),
    time_to_action_sec: number,
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
  async run(service, { state: only, modelId, limit }) {
    const { summaries, warning } = await service.listCanaries({
      limit,
      ...(only === undefined ? {} : { states: [only] }),
      ...(modelId === undefined ? {} : { modelId }),
    });
    return {
      ...(warning === null ? {} : { warning }),
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

import * as z from 'zod';
import { CANARY_STATES } from '../../../lib/ledger/index.js';
import { name } from './name.js';
import { defineTool } from './tool.js';

const WINDOW_MOST = 30 * 86_400;

const canaryId = z.string().min(1).max(200).describe('Id, or a unique beginning of it.');
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
    'Watches a model version that already serves traffic and decides whether it may pass into toGate: it is promoted or rolled back through the configured hooks. Returns at once; follow it with canary_status.',
  effect: { destructive: true, idempotent: false },
  input: z.strictObject({
    modelId: name.describe('The version that wants to pass.'),
    fromGate: name.describe('Gate it serves in now, e.g. stage.'),
    toGate: name.describe('e.g. production'),
    windowSeconds: z
      .number()
      .positive()
      .max(WINDOW_MOST)
      .optional()
      .describe("Length of the window. Default: the configured policy's, else 300."),
    targets: z
      .strictObject({
        latency_p95_ms: z.number().positive().optional(),
        max_error_rate: z.number().gt(0).lt(1).optional().describe('Share, e.g. 0.02.'),
        max_drift: z.number().positive().optional().describe('PSI, e.g. 0.15.'),
      })
      .prefault({})
      .describe('What it must meet; joins the configured policy.'),
    dryRun: z.boolean().default(false).describe('Judge, but call no hook and change no gate.'),
  }),
  output: canary,
  run: (service, args, { actor }) => service.startCanary(args, actor),
});

export const canaryStatus = defineTool({
  name: 'canary_status',
  title: 'Canary status',
  toolset: 'canaries',
  description: 'How a canary stands. With waitSeconds the answer comes when its state changes, or after that time.',
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
  description: 'Ends a canary that is not decided. Nothing is promoted or rolled back.',
  effect: { destructive: true, idempotent: false },
  input: z.strictObject({ canaryId, reason: z.string().min(1).max(2000).describe('Kept in the log.') }),
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
  description: 'What happened to a canary, a job or a model and why, as plain text from the log.',
  input: z.strictObject({
    id: z.string().min(1).max(500).describe('A canary, job or promotion by its id, or a model.'),
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
    "The numbers behind a canary's decision: thresholds, observations, evidence, the judge's logic, and whether they still come out the same.",
  input: z.strictObject({ id: z.string().min(1).max(500).describe('Canary, or a model: its newest canary.') }),
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
  output: z.looseObject({ canaries: z.array(z.looseObject({ canaryId: z.string(), status: state })) }),
  async run(service, { state: only, modelId, limit }) {
    const heads = await service.listCanaries({
      limit,
      ...(only === undefined ? {} : { states: [only] }),
      ...(modelId === undefined ? {} : { modelId }),
    });
    return {
      canaries: heads.map(({ subject, modelId: model, state: status, createdAt, updatedAt, data }) => ({
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

import * as z from 'zod';
import { name } from '../../requests/index.js';
import { defineTool } from './tool.js';

export const listGates = defineTool({
  name: 'list_gates',
  title: 'List gates',
  toolset: 'gates',
  description: 'Every gate that a model holds: which model, since when, and what it was promoted by.',
  input: z.strictObject({}),
  output: z.looseObject({
    gates: z.array(
      z.looseObject({
        gate: z.string(),
        modelId: z.string(),
        since: z.string(),
        canaryId: z.string().nullable(),
        promotionId: z.string().nullable(),
      }),
    ),
  }),
  run: async (service) => ({ gates: await service.listGates() }),
});

export const promoteModel = defineTool({
  name: 'promote_model',
  title: 'Promote a model',
  toolset: 'gates',
  description: 'Promotes a model to a gate that an earlier canary has proven it for, through the configured hooks.',
  effect: { destructive: true, idempotent: true },
  input: z.strictObject({ modelId: name, gate: name, dryRun: z.boolean().default(false) }),
  output: z.looseObject({
    modelId: z.string(),
    gate: z.string(),
    dryRun: z.boolean(),
    changed: z.boolean(),
    currentGates: z.array(z.string()),
    promoted: z.boolean(),
    promotedAt: z.string().nullable(),
  }),
  run: (service, args, { actor }) => service.promoteModel(args, actor),
});

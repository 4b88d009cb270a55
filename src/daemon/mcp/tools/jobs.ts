import * as z from 'zod';
import { JOB_STATES } from '../../../lib/readings/index.js';
import { name } from './name.js';
import { defineTool } from './tool.js';

const job = z.looseObject({
  jobId: z.string(),
  taskId: z.string(),
  configId: z.string().nullable(),
  status: z.enum(JOB_STATES),
  startedAt: z.string().nullable(),
  updatedAt: z.string(),
});

export const runEval = defineTool({
  name: 'run_eval',
  title: 'Run an evaluation',
  toolset: 'jobs',
  description:
    'Queues a task of the configuration, or probe, which checks the log itself. Returns at once; see status.',
  effect: { destructive: false, idempotent: false },
  input: z.strictObject({
    taskId: z.string().min(1).max(200),
    configId: name.nullable().default(null).describe('Handed to the task.'),
    dryRun: z.boolean().default(false),
  }),
  output: job,
  run: (service, args, { actor }) => service.runEval(args, actor),
});

export const status = defineTool({
  name: 'status',
  title: 'Job status',
  toolset: 'jobs',
  description: 'How a job stands, with its result when there is one.',
  input: z.strictObject({ jobId: z.string().min(1).max(200).describe('Id, or a unique beginning of it.') }),
  output: job,
  run: (service, { jobId }) => service.jobStatus(jobId),
});

import * as z from 'zod';
import { JOB_STATES } from '../../../lib/readings/index.js';
import { evalArguments } from '../../requests/index.js';
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
    'Queues a configured task, or the built-in `probe`, which checks the log. Returns immediately; follow it with status.',
  effect: { destructive: false, idempotent: false },
  input: evalArguments,
  output: job,
  run: (service, args, { actor }) => service.runEval(args, actor),
});

export const status = defineTool({
  name: 'status',
  title: 'Job status',
  toolset: 'jobs',
  description: 'Status of a job, with its result when it has one.',
  input: z.strictObject({ jobId: z.string().min(1).max(200).describe('Id, or the start of it if unique.') }),
  output: job,
  run: (service, { jobId }) => service.jobStatus(jobId),
});

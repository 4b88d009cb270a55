import * as z from 'zod';
import { durationSeconds, isDuration, maskUrls } from '../input/index.js';
import { isPassEnv } from '../process/index.js';
import { BUILTIN_TASKS } from './builtin.js';
import { JOB_TIME, type TasksConfig } from './task.js';

const TASK = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NUL = '\0';

const argument = z.string().refine((text) => !text.includes(NUL), 'contains a NUL character');

/** A job's command is recorded. */
const recorded = argument.refine(
  (text) => maskUrls(text) === text,
  'contains an address with a credential, which would be recorded; pass it on with passEnv',
);

const taskId = z
  .string()
  .regex(TASK, 'a task name must be at most 64 letters, digits and . _ -, starting with a letter or digit')
  .refine((id) => !Object.hasOwn(BUILTIN_TASKS, id), 'is built in; choose another name');

/** How many jobs one process runs at a time. */
export const jobsSchema = z.strictObject({ concurrency: z.int().min(1).max(64).default(2) });

const seconds = z
  .union([z.number(), z.string()], 'must be a time such as 60s or 5m, or a number of seconds')
  .superRefine(isDuration(JOB_TIME))
  .transform((given) => (typeof given === 'number' ? given : durationSeconds(given)));

const task = z
  .strictObject({
    command: z
      .array(recorded, 'must be a list: the program, then its arguments')
      .refine(([file]) => file !== undefined && file !== '', 'must not be empty: the program is missing'),
    timeout: seconds.default(600),
    metrics: z.enum(['json-last-line', 'none']).default('none'),
    env: z.record(z.string().regex(VARIABLE, 'must be the name of an environment variable'), argument).default({}),
    passEnv: z.array(z.string().superRefine(isPassEnv)).optional(),
    cwd: argument.min(1).optional(),
    description: z.string().min(1).optional(),
  })
  .transform(({ command: [file = '', ...args], timeout, metrics, env, passEnv, cwd, description }) => ({
    command: [file, ...args] as [string, ...string[]],
    timeoutSeconds: timeout,
    metrics,
    env,
    ...(passEnv === undefined ? {} : { passEnv }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(description === undefined ? {} : { description }),
  }));

/** The `tasks` section of a configuration file, with defaults filled in. Unknown keys are errors. */
export const tasksSchema = z.record(taskId, task) satisfies z.ZodType<TasksConfig>;

import * as z from 'zod';
import { BUILTIN_TASKS } from './builtin.js';
import type { TasksConfig } from './task.js';

const TASK = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const DAY_SECONDS = 86_400;
const NUL = '\0';

const argument = z.string().refine((text) => !text.includes(NUL), 'contains a NUL character');

const taskId = z
  .string()
  .regex(TASK, 'a task name must be at most 64 letters, digits and . _ -, starting with a letter or digit')
  .refine((id) => !Object.hasOwn(BUILTIN_TASKS, id), 'is built in; choose another name');

/** How many jobs one process runs at a time. */
export const jobsSchema = z.strictObject({ concurrency: z.int().min(1).max(64).default(2) });

/**
 * The `tasks` section of a configuration file, with defaults filled in. Unknown keys are errors.
 * @param parseDuration seconds of a text such as `60s`; throws for what is none
 */
export function tasksSchema(parseDuration: (text: string) => number) {
  const seconds = z
    .union([z.number(), z.string()], 'must be a time such as 60s or 5m, or a number of seconds')
    .transform((given, context) => {
      try {
        return typeof given === 'number' ? given : parseDuration(given);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    })
    .refine((n) => n > 0 && n <= DAY_SECONDS, 'must be more than 0 and at most 24h');

  const task = z
    .strictObject({
      command: z
        .array(argument, 'must be a list: the program, then its arguments')
        .refine(([file]) => file !== undefined && file !== '', 'must not be empty: the program is missing'),
      timeout: seconds.default(600),
      metrics: z.enum(['json-last-line', 'none']).default('none'),
      env: z.record(z.string().regex(VARIABLE, 'must be the name of an environment variable'), argument).default({}),
      cwd: argument.min(1).optional(),
      description: z.string().min(1).optional(),
    })
    .transform(({ command: [file = '', ...args], timeout, metrics, env, cwd, description }) => ({
      command: [file, ...args] as [string, ...string[]],
      timeoutSeconds: timeout,
      metrics,
      env,
      ...(cwd === undefined ? {} : { cwd }),
      ...(description === undefined ? {} : { description }),
    }));

  return z.record(taskId, task) satisfies z.ZodType<TasksConfig>;
}

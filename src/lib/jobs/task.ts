import { LukhasError } from '../errors.js';

/** A task as the configuration names it; `task-schema.ts` makes these from a file. */
export interface TaskConfig {
  /** Program and arguments, run without a shell; `{configId}` in an argument stands for the job's configuration. */
  command: [string, ...string[]];
  timeoutSeconds: number;
  /** `json-last-line`: the last line of stdout is a JSON object of numbers, texts and truth values; `none`: nothing is read. */
  metrics: 'json-last-line' | 'none';
  env: Record<string, string>;
  /** Variables of our own environment that it inherits besides the few that all programs do. */
  passEnv?: string[];
  cwd?: string;
  description?: string;
}

export type TasksConfig = Readonly<Record<string, TaskConfig>>;

const CONFIG_ID = '{configId}';

/**
 * The command as it will be run: `{configId}` in an argument stands for the job's configuration.
 * @throws LukhasError USAGE when the task needs a configuration and none is given
 */
export function commandOf(taskId: string, { command }: TaskConfig, configId: string | null): string[] {
  const [file, ...args] = command;
  if (configId === null && args.some((arg) => arg.includes(CONFIG_ID)))
    throw new LukhasError('USAGE', `Task ${taskId} needs --config: its command contains ${CONFIG_ID}.`, {
      suggestions: [`lukhas job run ${taskId} --config C`],
    });
  return [file, ...args.map((arg) => arg.replaceAll(CONFIG_ID, () => configId ?? ''))];
}

/** How long a job may take. */
export const JOB_TIME = { isPositive: true, most: 86_400 };

import { LukhasError } from '../errors.js';
import type { TaskConfig } from '../readings/index.js';

const CONFIG_ID = '{configId}';

/**
 * The command as it will be run: `{configId}` in an argument stands for the job's configuration.
 * @throws LukhasError USAGE when the task needs a configuration and none is given
 */
export function commandOf(taskId: string, { command }: TaskConfig, configId: string | null): string[] {
  const [file, ...args] = command;
  if (configId === null && args.some((arg) => arg.includes(CONFIG_ID)))
    throw new LukhasError('USAGE', `The task ${taskId} needs a configuration: its command has ${CONFIG_ID} in it.`, {
      suggestions: [`lukhas job run ${taskId} --config C`],
    });
  return [file, ...args.map((arg) => arg.replaceAll(CONFIG_ID, () => configId ?? ''))];
}

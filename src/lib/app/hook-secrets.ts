import { LukhasError } from '../errors.js';
import { checkSecrets, type HooksConfig, secretNames } from '../gates/index.js';

/**
 * Refuses hooks whose requests could not be sent or signed: better before the canary begins than after its verdict.
 * @throws LukhasError CONFIG: hook, variable
 */
export function requireHookSecrets(hooks: HooksConfig, env: NodeJS.ProcessEnv): void {
  for (const action of ['promote', 'rollback'] as const)
    for (const hook of hooks[action]) {
      const name = secretNames(hook).find((variable) => !env[variable]);
      if (name === undefined) {
        requireUsable(hook, action, env);
        continue;
      }
      throw new LukhasError(
        'CONFIG',
        `hook "${hook.name}" (${action}): environment variable ${name} with its URL or signing secret is not set`,
        { suggestions: [`Set ${name}, or pass --dry-run to call no hooks.`] },
      );
    }
}

function requireUsable(hook: HooksConfig['promote'][number], action: string, env: NodeJS.ProcessEnv): void {
  try {
    checkSecrets(hook, env);
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    throw new LukhasError('CONFIG', `hook "${hook.name}" (${action}): ${error.message}`, {
      suggestions: ['Correct the variable, or pass --dry-run to call no hooks.'],
      cause: error,
    });
  }
}

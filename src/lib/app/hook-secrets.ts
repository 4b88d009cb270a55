import { LukhasError } from '../errors.js';
import type { HooksConfig } from '../gates/index.js';

/**
 * Refuses hooks whose requests could not be signed: better before the canary begins than after its verdict.
 * @throws LukhasError CONFIG: hook, variable
 */
export function requireHookSecrets(hooks: HooksConfig, env: NodeJS.ProcessEnv): void {
  for (const action of ['promote', 'rollback'] as const)
    for (const hook of hooks[action]) {
      const name = 'webhook' in hook ? hook.webhook.secretEnv : null;
      if (name === null || env[name]) continue;
      throw new LukhasError(
        'CONFIG',
        `hook "${hook.name}" (${action}): its signing secret is missing: the environment variable ${name} is not set`,
        { suggestions: [`Set ${name}, or judge without calling any hook: --dry-run`] },
      );
    }
}

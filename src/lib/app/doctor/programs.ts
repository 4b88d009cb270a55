import { type Config, environment } from '../config.js';
import { uncallableHooks } from '../hook-programs.js';
import { requireHookSecrets } from '../hook-secrets.js';
import { type Found, fail, failure, ok, skip } from './check.js';

/** Programs and secrets of the hooks. */
export async function hookChecks({ hooks, sections }: Config): Promise<Found[]> {
  const count = hooks.promote.length + hooks.rollback.length;
  if (count === 0) return [skip('none configured: a decision changes the gate in the log, and calls nothing')];
  const env = environment();
  const file = sections['hooks'] ?? 'the configuration';
  const found: Found[] = (await uncallableHooks(hooks, env)).map(({ name, action, problem }) =>
    fail('CONFIG', `${file}: hook "${name}" (${action}): ${problem}`, `Correct hooks.${action}.`),
  );
  try {
    requireHookSecrets(hooks, env);
  } catch (error) {
    found.push(failure(error));
  }
  if (found.length > 0) return found;
  return [
    ok(
      `${hooks.promote.length} for promotions, ${hooks.rollback.length} for rollbacks: programs can be started, secrets are set`,
    ),
  ];
}

/** Programs of the jobs' tasks. */
export async function taskChecks({ tasks, sections }: Config): Promise<Found[]> {
  const { programEnvironment, whyNotStartable } = await import('../../process/index.js');
  const all = Object.entries(tasks);
  if (all.length === 0) return [];
  const problems = await Promise.all(
    all.map(async ([, { command, cwd = '.', env, passEnv }]) => {
      // What a job's configuration fills in is known only then.
      if (command[0].includes('{configId}')) return null;
      return whyNotStartable(command[0], cwd, { ...programEnvironment(environment(), passEnv), ...env });
    }),
  );
  const found = all.flatMap(([id], i): Found[] => {
    const problem = problems[i] ?? null;
    if (problem === null) return [];
    return [
      fail(
        'CONFIG',
        `${sections['tasks'] ?? 'the configuration'}: task ${id}: ${problem}`,
        `Correct tasks.${id}.command.`,
      ),
    ];
  });
  return found.length > 0 ? found : [ok(`programs of ${all.map(([id]) => id).join(', ')} can be started`)];
}

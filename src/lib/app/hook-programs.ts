import { LukhasError } from '../errors.js';
import { type HooksConfig, whyNotCallable } from '../gates/index.js';

/** A hook that could not be called. */
export interface UncallableHook {
  name: string;
  action: 'promote' | 'rollback';
  problem: string;
}

/** Hooks that could not be called as things are: a program that is not there, or may not be run. Calls none. */
export async function uncallableHooks(hooks: HooksConfig, env: NodeJS.ProcessEnv): Promise<UncallableHook[]> {
  const all = (['promote', 'rollback'] as const).flatMap((action) => hooks[action].map((hook) => ({ action, hook })));
  const problems = await Promise.all(all.map(({ hook }) => whyNotCallable(hook, env)));
  return all.flatMap(({ action, hook: { name } }, i) => {
    const problem = problems[i] ?? null;
    return problem === null ? [] : [{ name, action, problem }];
  });
}

/**
 * Refuses hooks whose programs could not be started: better before the canary begins than after its verdict.
 * @param file the configuration file that names them, if it is known
 * @throws LukhasError CONFIG: hook, program, file
 */
export async function requireHookPrograms(
  hooks: HooksConfig,
  env: NodeJS.ProcessEnv,
  file: string | null,
): Promise<void> {
  const [first] = await uncallableHooks(hooks, env);
  if (first === undefined) return;
  const { name, action, problem } = first;
  const where = file === null ? '' : `${file}: `;
  throw new LukhasError('CONFIG', `${where}hook "${name}" (${action}): ${problem}`, {
    suggestions: [`Correct hooks.${action}, or pass --dry-run to call no hooks.`],
  });
}

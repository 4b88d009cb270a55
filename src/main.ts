import { keepOwnRights, standInForAccount, withoutWorkingDirectory } from './cli/surroundings.js';

/**
 * What bin/run.js starts: oclif, bundled with the commands. Sets the exit code.
 * @param options.dir URL of a file in the package
 * @param options.args those of the process when left out
 */
export async function execute({ dir, args }: { dir: string; args?: readonly string[] }): Promise<void> {
  keepOwnRights();
  standInForAccount();
  // Loaded only now: packages ask for the account and the working directory as they are loaded.
  const { start } = await withoutWorkingDirectory(() => import('./cli/start.js'));
  await start(dir, args ?? process.argv.slice(2));
}

import { join } from 'node:path';
import { LukhasError } from '../../errors.js';
import { replaceFile } from '../../files/index.js';
import { ownerFor } from '../../process/index.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import { GIT_VARIABLES, type ProgramOutcome, runTool, toolFailed } from './program.js';
import type { AnchorContext, AnchorTarget } from './target.js';

type GitTarget = Extract<AnchorTarget, { kind: 'git' }>;

/**
 * Writes the note to `<origin>.checkpoint` at the top of the repository and commits that file alone, with the machine's git
 * settings (identity, hooks, `commit.gpgsign`).
 * @throws LukhasError ANCHOR_FAILED
 */
export async function commitToGit(
  { repository, sign, signingKey, push, passEnv = [] }: GitTarget,
  { origin, size, root, note }: KeptCheckpoint,
  context: AnchorContext,
): Promise<string> {
  const file = `${encodeURIComponent(origin)}.checkpoint`;
  const git = async (args: readonly string[]): Promise<ProgramOutcome> =>
    runTool(['git', '-C', repository, ...args], context, [...GIT_VARIABLES, ...passEnv]);
  const done = async (args: readonly string[]): Promise<string> => {
    const outcome = await git(args);
    if (!outcome.ok)
      throw toolFailed(`${repository}: git ${args.find((arg) => /^[a-z]/.test(arg) && !arg.includes('='))}`, outcome);
    return outcome.output;
  };
  const top = await done(['rev-parse', '--show-toplevel']);
  try {
    await replaceFile(join(top, file), note, { owner: ownerFor(top) });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = cause instanceof LukhasError ? message : `${join(top, file)}: cannot be written (${code ?? message})`;
    throw new LukhasError('ANCHOR_FAILED', why, { cause });
  }
  const place = ['--', `:/${file}`];
  await done(['add', ...place]);
  const changed = (await done(['status', '--porcelain', ...place])) !== '';
  if (changed) {
    const key = signingKey === undefined ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${signingKey}`];
    const signing = sign === true || signingKey !== undefined ? ['--gpg-sign'] : [];
    const message = `Checkpoint of ${origin}: ${size} entries, root ${root.toString('hex')}`;
    await done([...key, 'commit', '--quiet', ...signing, `--message=${message}`, ...place]);
  }
  if (push === true) await done(['push', '--quiet']);
  const what = changed ? `commit ${await done(['rev-parse', '--short', 'HEAD'])}` : 'already committed';
  return push === true ? `${what}, pushed` : what;
}

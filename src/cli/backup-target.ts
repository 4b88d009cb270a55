import { resolve } from 'node:path';
import type { BackupTarget } from '../lib/app/database/index.js';
import type { Config } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';

interface TargetFlags {
  to?: string | undefined;
  command?: string | undefined;
  'pass-env'?: string[] | undefined;
  keep?: number | undefined;
}

/**
 * Where a backup goes: as the flags say or, without any, the configuration.
 * @param words what stands after `--`: arguments of the program
 * @throws LukhasError USAGE
 */
export function backupTarget(config: Config, flags: TargetFlags, words: readonly string[]): BackupTarget {
  const { to, command, passEnv, keep } = config.database.backup;
  const [first] = words;
  if (first !== undefined && flags.command === undefined)
    throw new LukhasError('USAGE', `Unexpected argument: ${first}`, {
      suggestions: ['Arguments after -- belong to the program of --command.'],
    });
  if (flags.command !== undefined) {
    if (flags.keep !== undefined) throw new LukhasError('USAGE', '--keep works with a folder only, not with --command');
    return { kind: 'command', command: [flags.command, ...words], passEnv: flags['pass-env'] ?? passEnv };
  }
  if (flags.to !== undefined)
    return { kind: 'folder', folder: resolve(config.cwd, flags.to), keep: flags.keep ?? keep };
  if (to !== null) return { kind: 'folder', folder: to, keep: flags.keep ?? keep };
  if (command !== null) return { kind: 'command', command, passEnv };
  throw new LukhasError('USAGE', 'No place given for the backup', {
    suggestions: ['Pass --to DIR or --command PROGRAM, or set database.backup.to in lukhas.yaml.'],
  });
}

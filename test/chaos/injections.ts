import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brief, checkEnd, checkOrphans, checkWorld } from './checks.js';
import type { Command } from './commands.js';
import type { Tally } from './tally.js';
import type { World } from './world.js';

/** One call of one command, and what becomes of it. */
export interface Injection {
  command: Command;
  call: string;
  /** `error=EIO`, or `signal=KILL`. */
  what: string;
  /** Which of these calls, from 1. */
  nth: number;
  /** Counted are calls on these paths only; all, when left out. */
  paths?: readonly string[];
}

/** Calls that are few and about files of the world: counted wherever they go. What they may fail with. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  pwrite64: ['error=EIO', 'error=ENOSPC', 'signal=KILL'],
  fsync: ['error=EIO', 'signal=KILL'],
  fdatasync: ['error=EIO', 'signal=KILL'],
  ftruncate: ['error=EIO', 'signal=KILL'],
  unlink: ['error=EIO', 'signal=KILL'],
  rename: ['error=EIO', 'error=ENOSPC', 'signal=KILL'],
  link: ['error=EIO', 'error=ENOSPC', 'signal=KILL'],
  mkdir: ['error=ENOSPC', 'error=EIO'],
};
/** Calls that the start of Node.js makes by the hundred: counted on the world's own paths. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  openat: ['error=EMFILE', 'error=EIO', 'error=ENOSPC'],
  pread64: ['error=EIO'],
};

/** The calls that a command makes, from a run of its own under strace, and everything that may happen to each. */
export async function injectionsOf(template: World, command: Command): Promise<Injection[]> {
  const world = template.copy();
  try {
    const trace = join(world.dir, 'trace');
    const calls = [...Object.keys(FILES), ...Object.keys(PATHS)].join(',');
    const ended = await world.run(command.args, [
      'strace',
      '-f',
      '-qq',
      '-y',
      '--seccomp-bpf',
      '-e',
      `trace=${calls}`,
      '-o',
      trace,
    ]);
    if (ended.code !== command.code) throw new Error(`${command.name}: ${ended.code} while traced: ${brief(ended)}`);
    const lines = readFileSync(trace, 'utf8').split('\n');
    const own = lines.filter((line) => line.includes(world.dir));
    const count = (from: readonly string[], call: string) => from.filter((line) => line.includes(` ${call}(`)).length;
    const paths = [
      ...new Set(own.flatMap((line) => [...line.matchAll(/["<](\/[^">]*)[">]/g)].map(([, path]) => path!))),
    ]
      .filter((path) => path.startsWith(`${world.dir}/`) && path !== trace)
      .map((path) => path.slice(world.dir.length + 1));
    const spread = (table: typeof FILES, from: readonly string[], only?: readonly string[]) =>
      Object.entries(table).flatMap(([call, whats]) =>
        Array.from({ length: count(from, call) }, (_, n) => n + 1).flatMap((nth) =>
          whats.map((what) => ({ command, call, what, nth, ...(only === undefined ? {} : { paths: only }) })),
        ),
      );
    return [...spread(FILES, lines), ...spread(PATHS, own, paths)];
  } finally {
    await world.remove();
  }
}

/** Runs the command with this one call failing, then what a person would do, and checks all that must hold. */
export async function inject(tally: Tally, template: World, injection: Injection): Promise<void> {
  const { command, call, what, nth, paths = [] } = injection;
  const where = `${command.name}, ${call} #${nth}, ${what}${paths.length > 0 ? ', on its own paths' : ''}`;
  const world = template.copy();
  try {
    const only = paths.flatMap((path) => ['-P', join(world.dir, path)]);
    const strace = ['strace', '-f', '-qq', '--seccomp-bpf', ...only, '-e', `trace=${call}`];
    const ended = await world.run(command.args, [
      ...strace,
      '-e',
      `inject=${call}:${what}:when=${nth}`,
      '-o',
      '/dev/null',
    ]);
    const killed = what === 'signal=KILL' && (ended.signal === 'SIGKILL' || ended.code === 137);
    if (!killed) {
      checkEnd(tally, where, ended, command.code);
      await checkOrphans(tally, where, world);
    }
    if (ended.code === command.code && !killed) {
      const missing = await command.missing?.(world, ended);
      if (missing) tally.fault('acknowledged loss', `${where}: ${missing.slice(0, 400)}`);
    } else if (command.changes) {
      // Nothing fails any more: it goes on from where it was, or from the start.
      const { args, code } = command.goOn?.(ended) ?? command;
      const again = await world.run(args);
      if (again.code !== code)
        tally.fault('wrong exit code', `${where}, afterwards: ${again.code}, not ${code}: ${brief(again)}`);
    }
    await world.left();
    await checkWorld(tally, where, world);
  } finally {
    await world.remove();
  }
}

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

/** strace counts the calls of each thread by itself; with several, which one makes a call is chance. */
const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };

/** The calls that a command makes, from a run of its own under strace, and everything that may happen to each. */
export async function injectionsOf(template: World, command: Command): Promise<Injection[]> {
  const world = template.copy();
  try {
    const trace = join(world.dir, 'trace');
    const calls = [...Object.keys(FILES), ...Object.keys(PATHS)].join(',');
    const ended = await world.run(
      command.args,
      ['strace', '-f', '-qq', '-y', '--seccomp-bpf', '-e', `trace=${calls}`, '-o', trace],
      ONE_THREAD,
    );
    if (ended.code !== command.code) throw new Error(`${command.name}: ${ended.code} while traced: ${brief(ended)}`);
    // What a path is relative to is named in every line.
    const lines = readFileSync(trace, 'utf8')
      .replace(/AT_FDCWD<[^>]*>/g, 'AT_FDCWD')
      .split('\n');
    // Names of files that are written beside their place are others each time.
    const isOwn = (path: string) => path.startsWith(world.dir) && !path.endsWith('.tmp') && path !== trace;
    const own = lines.filter((line) => isOwn(pathIn(line)));
    const count = (from: readonly string[], call: string) => {
      const perThread = new Map<string, number>();
      for (const line of from.filter((each) => each.includes(` ${call}(`))) {
        const [thread = ''] = line.split(' ');
        perThread.set(thread, (perThread.get(thread) ?? 0) + 1);
      }
      return Math.max(0, ...perThread.values());
    };
    const paths = [...new Set(own.map((line) => pathIn(line).slice(world.dir.length + 1)))];
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

/** Which file a traced call is about; empty where it is none, or one below a folder that is open. */
function pathIn(line: string): string {
  return /^\d+ +\w+\((?:AT_FDCWD, "|\d+<|")(\/[^">]*)/.exec(line)?.[1] ?? '';
}

/**
 * Runs the command with this one call failing, then what a person would do, and checks all that must hold.
 * @returns false when the command came to its end before this call
 */
export async function inject(tally: Tally, template: World, injection: Injection): Promise<boolean> {
  const { command, call, what, nth, paths = [] } = injection;
  const where = `${command.name}, ${call} #${nth}, ${what}${paths.length > 0 ? ', on its own paths' : ''}`;
  const world = template.copy();
  try {
    const trace = join(world.dir, 'trace');
    const only = paths.flatMap((path) => ['-P', join(world.dir, path)]);
    const strace = ['strace', '-f', '-qq', '--seccomp-bpf', ...only, '-e', `trace=${call}`];
    const under = [...strace, '-e', `inject=${call}:${what}:when=${nth}`, '-o', trace];
    const ended = await world.run(command.args, under, ONE_THREAD);
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
    return killed || readFileSync(trace, 'utf8').includes('(INJECTED)');
  } finally {
    await world.remove();
  }
}

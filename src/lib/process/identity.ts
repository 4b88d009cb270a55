import { readdir, readFile } from 'node:fs/promises';

/**
 * What tells a process from a later one with the same pid: the boot it was started in, and when, in clock ticks since that
 * boot (proc(5): field 22 of stat). Null where there is no such process, or no /proc.
 */
export async function processMark(pid: number): Promise<string | null> {
  try {
    const [boot, stat] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ]);
    // The name, in parentheses, may hold anything: what follows it begins with field 3.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return ticks === undefined ? null : `${boot.trim()}/${ticks}`;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** Processes that were started with a variable set so, by their environment; those that we may not look into are left out. */
export async function processesWith(name: string, value: string): Promise<number[]> {
  const entry = `\0${name}=${value}\0`;
  const found: number[] = [];
  for (const pid of await listed()) {
    try {
      if (`\0${await readFile(`/proc/${pid}/environ`, 'utf8')}\0`.includes(entry)) found.push(pid);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return found.filter((pid) => pid !== process.pid);
}

async function listed(): Promise<number[]> {
  try {
    return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

import { execFileSync } from 'node:child_process';

/** Pids of all `/bin/sleep SECONDS`, in text. Seconds that nothing else sleeps for mark the programs of one test. */
export function sleepers(seconds: string): string[] {
  try {
    const pids = execFileSync('pgrep', ['-f', `^/bin/sleep ${seconds}$`], { encoding: 'utf8' });
    return pids.split('\n').filter(Boolean);
  } catch {
    // pgrep ends with 1 where there is none.
    return [];
  }
}

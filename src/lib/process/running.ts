import { signalGroup, stopGroup } from './group.js';

/** Process groups of the programs that this process has started and that have not ended. */
const running = new Set<number>();

/** Notes a program until it has ended. @returns what to call then */
export function noteRunning(group: number): () => void {
  running.add(group);
  return () => void running.delete(group);
}

/**
 * Stops all programs that run, for a process that ends before its time: SIGTERM, and SIGKILL after the grace.
 * @param graceMs 0: SIGKILL at once, before this returns, as an `exit` handler needs it
 */
export async function stopPrograms(graceMs: number): Promise<void> {
  const groups = [...running];
  running.clear();
  if (graceMs === 0) for (const group of groups) signalGroup(group, 'SIGKILL');
  else await Promise.all(groups.map((group) => stopGroup(group, graceMs)));
}

import { signalGroup } from './group.js';

/** Process groups of the programs that this process has started and that have not ended. */
const running = new Set<number>();

/** Notes a program until it has ended. @returns what to call then */
export function noteRunning(group: number): () => void {
  running.add(group);
  return () => void running.delete(group);
}

/**
 * Stops all programs that run, for a process that ends before its time: SIGTERM, and SIGKILL after the grace. Nothing else of this
 * process runs meanwhile.
 */
export function stopPrograms(graceMs: number): void {
  const groups = [...running];
  running.clear();
  if (groups.length === 0) return;
  if (graceMs > 0) {
    for (const group of groups) signalGroup(group, 'SIGTERM');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, graceMs);
  }
  for (const group of groups) signalGroup(group, 'SIGKILL');
}

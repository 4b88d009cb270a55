import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 20;
/** Time the kernel is given to take away what SIGKILL has ended. */
const REAP_MS = 500;

/** SIGTERM to a process group, SIGKILL to whoever is left after the grace. Resolves when it has no members, or soon after SIGKILL. */
export async function stopGroup(group: number, graceMs: number): Promise<void> {
  if (!signalGroup(group, 'SIGTERM')) return;
  if (await isGone(group, graceMs)) return;
  if (signalGroup(group, 'SIGKILL')) await isGone(group, REAP_MS);
}

async function isGone(group: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    await wait(POLL_MS);
    if (!signalGroup(group, 0)) return true;
  }
  return false;
}

/** False when the group has no members any more. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    // macOS answers EPERM for a group whose only members are zombies.
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return signal !== 0;
    throw error;
  }
}

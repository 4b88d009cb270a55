import { setTimeout as wait } from 'node:timers/promises';

/** Waits until something holds. What never comes about ends with the limit of the test: no machine is too slow. */
export async function until(holds: () => Promise<boolean> | boolean, everyMs = 10): Promise<void> {
  while (!(await holds())) await wait(everyMs);
}

import type { App } from '../lib/app/index.js';
import { timestamp } from '../lib/clock.js';
import type { Canary } from '../lib/readings/index.js';
import { Wake } from '../lib/wake.js';
import type { Changes } from './changes.js';

/** Progress of a wait, about once a second. `elapsed` and `total` are seconds. */
export interface WaitProgress {
  elapsed: number;
  total: number;
  message: string;
}

export interface WaitOptions {
  seconds: number;
  /** Each ends the wait without an error. */
  signals: readonly AbortSignal[];
  onProgress?: ((progress: WaitProgress) => void) | undefined;
}

const PROGRESS_MS = 1000;

/** Waits until the state of the canary or of its action changes, or the time is over. @returns the canary as it is then */
export async function waitForChange(
  { clock, canaries }: Pick<App, 'clock' | 'canaries'>,
  changes: Changes,
  before: Canary,
  { seconds, signals, onProgress }: WaitOptions,
): Promise<Canary> {
  const began = clock.now();
  const until = began + seconds * 1000;
  const wake = new Wake(clock);
  let changed = false;
  const end = () => wake.wake();
  for (const signal of signals) signal.addEventListener('abort', end, { once: true });
  const unsubscribe = await changes.subscribe((items) => {
    if (!items.some((item) => item.type === 'event' && item.event.subject === before.id)) return;
    changed = true;
    wake.wake();
  });
  try {
    // The subscription does not report what was committed before it.
    let latest = await canaries.get(before.id);
    for (;;) {
      const now = clock.now();
      const ended = now >= until || signals.some((signal) => signal.aborted);
      if (ended || !sameState(before, latest)) return latest;
      onProgress?.({ elapsed: (now - began) / 1000, total: seconds, message: doing(latest, now) });
      await wake.sleepUntil(Math.min(now + PROGRESS_MS, until));
      if (changed) {
        changed = false;
        latest = await canaries.get(before.id);
      }
    }
  } finally {
    unsubscribe();
    for (const signal of signals) signal.removeEventListener('abort', end);
  }
}

function sameState(a: Canary, b: Canary): boolean {
  return a.state === b.state && a.action.state === b.action.state;
}

function doing(canary: Canary, now: number): string {
  if (canary.startedAt === null) return `${canary.id} is ${canary.state}: waiting for the first check`;
  const seconds = Math.round((now - canary.startedAt) / 1000);
  return `${canary.id} is ${canary.state} since ${timestamp(canary.startedAt)}: ${seconds} s of ${(canary.policy.warmupSeconds ?? 0) + canary.policy.windowSeconds} s`;
}

import type { Steps } from '../lib/replay/index.js';

/** So that nothing makes the page wait: what takes long lets others in after so many ms. */
const SLICE_MS = 8;

let since = performance.now();

/** Resolves at once, or in a task of its own when the present one has been going on for long. */
export async function breathe(): Promise<void> {
  if (performance.now() - since < SLICE_MS) return;
  await new Promise((resolve) => setTimeout(resolve));
  since = performance.now();
}

/** Does work step by step. @returns null when it is not wanted any more */
export async function inSlices<T>(steps: Steps<T>, isWanted: () => boolean = () => true): Promise<T | null> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await breathe();
    if (!isWanted()) return null;
  }
}

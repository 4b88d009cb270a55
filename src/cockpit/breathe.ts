/** So that nothing makes the page wait: what takes long lets others in after so many ms. */
const SLICE_MS = 8;

let since = performance.now();

/** Resolves at once, or in a task of its own when the present one has been going on for long. */
export async function breathe(): Promise<void> {
  if (performance.now() - since < SLICE_MS) return;
  await new Promise((resolve) => setTimeout(resolve));
  since = performance.now();
}

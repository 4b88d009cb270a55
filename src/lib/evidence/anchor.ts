import type { AnchorContext, AnchorTarget } from './anchor-target.js';
import type { KeptCheckpoint } from './kept-checkpoint.js';

/**
 * Tells the checkpoint to one place.
 * @returns what was done, in words
 * @throws LukhasError ANCHOR_FAILED; VERIFICATION for a timestamp that does not verify
 */
export async function anchor(
  target: AnchorTarget,
  checkpoint: KeptCheckpoint,
  context: AnchorContext,
): Promise<string> {
  switch (target.kind) {
    case 'file':
      return (await import('./anchor-file.js')).appendToFile(target.path, checkpoint, context);
    case 'git':
      return (await import('./anchor-git.js')).commitToGit(target, checkpoint, context);
    case 'webhook':
      return (await import('./anchor-webhook.js')).postNote(target.url, checkpoint, context);
    case 'tsa':
      return (await import('./anchor-timestamp.js')).timestampCheckpoint(target, checkpoint, context);
  }
}

import type { KeptCheckpoint } from '../checkpoints/index.js';
import type { AnchorContext, AnchorTarget } from './target.js';

/**
 * Publishes the checkpoint to one target.
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
      return (await import('./file.js')).appendToFile(target.path, checkpoint, context);
    case 'git':
      return (await import('./git.js')).commitToGit(target, checkpoint, context);
    case 'webhook':
      return (await import('./webhook.js')).postNote(target, checkpoint, context);
    case 'tsa':
      return (await import('./timestamp.js')).timestampCheckpoint(target, checkpoint, context);
  }
}

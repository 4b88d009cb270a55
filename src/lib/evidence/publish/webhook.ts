import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import { firstLine, post } from './post.js';
import type { AnchorContext } from './target.js';

/** Posts the note as it is, text/plain; any status of 200 to 299 means that it was accepted. @throws LukhasError ANCHOR_FAILED */
export async function postNote(url: string, { note }: KeptCheckpoint, { signal }: AnchorContext): Promise<string> {
  const answer = await post(url, { body: note, type: 'text/plain; charset=utf-8', signal });
  if (answer.status >= 200 && answer.status < 300) return `accepted (${answer.status})`;
  throw new LukhasError('ANCHOR_FAILED', `${url}: rejected: ${answer.status} ${firstLine(answer)}`.trimEnd());
}

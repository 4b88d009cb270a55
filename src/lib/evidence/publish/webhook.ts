import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import { firstLine, post } from './post.js';
import { type AnchorContext, type AnchorTarget, anchorPlace } from './target.js';

/**
 * Posts the note as it is, text/plain; any status of 200 to 299 means that it was accepted. An address out of a variable is in no
 * error.
 * @throws LukhasError ANCHOR_FAILED
 */
export async function postNote(
  target: Extract<AnchorTarget, { kind: 'webhook' }>,
  { note }: KeptCheckpoint,
  { signal, env }: AnchorContext,
): Promise<string> {
  const called = anchorPlace(target);
  const url = 'url' in target ? target.url : env[target.urlEnv];
  if (!url || !/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : ''))
    throw new LukhasError('ANCHOR_FAILED', `${called}: the environment variable does not hold an http or https URL`);
  const answer = await post(url, { body: note, type: 'text/plain; charset=utf-8', signal, called });
  if (answer.status >= 200 && answer.status < 300) return `accepted (${answer.status})`;
  // A receiver may repeat the address that it was called at.
  const said = 'url' in target ? firstLine(answer) : '';
  throw new LukhasError('ANCHOR_FAILED', `${called}: rejected: ${answer.status} ${said}`.trimEnd());
}

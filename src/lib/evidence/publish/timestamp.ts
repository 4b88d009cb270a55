import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LukhasError } from '../../errors.js';
import { createFile } from '../../files/index.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import { parseNote, refused } from '../formats/index.js';
import { firstLine, post } from './post.js';
import { runTool, toolFailed } from './program.js';
import type { AnchorContext, AnchorTarget } from './target.js';

type TsaTarget = Extract<AnchorTarget, { kind: 'tsa' }>;

/**
 * Has the signed text of the checkpoint (without the signatures, which may grow) timestamped by RFC 3161, and keeps the answer
 * beside it as `SIZE.HOST.tsr`. Requests and answers go through `openssl ts`, which auditors have too.
 * @throws LukhasError ANCHOR_FAILED; VERIFICATION when the answer does not verify with the given certificates
 */
export async function timestampCheckpoint(
  target: TsaTarget,
  { size, note }: KeptCheckpoint,
  context: AnchorContext,
): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'lukhas-ts-'));
  try {
    const [data, query, reply] = ['data', 'query', 'reply'].map((name) => join(work, name)) as [string, string, string];
    await writeFile(data, parseNote(note).text);
    // With a nonce, so that the answer belongs to this query, and with the certificate, so that it can be verified alone.
    const asked = await runTool(['openssl', 'ts', '-query', '-sha256', '-cert', '-data', data, '-out', query], context);
    if (!asked.ok) throw toolFailed('openssl ts -query', asked);
    const bytes = await answerOf(target.url, await readFile(query), context);
    await writeFile(reply, bytes);
    await check(target, { query, reply }, context);
    const name = `${size}.${new URL(target.url).host.replaceAll(/[^A-Za-z0-9.-]/g, '_')}.tsr`;
    const kept = await createFile(join(context.folder, name), bytes, { owner: context.owner });
    return kept ? `saved as ${name}` : `kept the older timestamp in ${name}`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function answerOf(url: string, body: Buffer, { signal }: AnchorContext): Promise<Buffer> {
  const answer = await post(url, { body, type: 'application/timestamp-query', signal });
  if (answer.status === 200 && answer.type === 'application/timestamp-reply') return answer.body;
  const what = `${answer.status} ${answer.type} ${answer.type.startsWith('text/') ? firstLine(answer) : ''}`;
  throw new LukhasError('ANCHOR_FAILED', `${url}: the answer is not a timestamp: ${what}`.trimEnd());
}

/** Checks that the reply answers this query, is granted, and is signed under the given certificates. */
async function check(
  { url, caFile }: TsaTarget,
  { query, reply }: { query: string; reply: string },
  context: AnchorContext,
): Promise<void> {
  const shown = await runTool(['openssl', 'ts', '-reply', '-in', reply, '-text'], context);
  if (!/^Status: Granted\b/m.test(shown.output)) {
    throw new LukhasError('ANCHOR_FAILED', `${url}: timestamp refused${reasonIn(shown.output)}`);
  }
  const verified = await runTool(
    ['openssl', 'ts', '-verify', '-queryfile', query, '-in', reply, '-CAfile', caFile],
    context,
  );
  if (!verified.ok)
    throw refused(`${url}: timestamp does not verify with ${caFile}: ${verified.output.split('\n')[0]}`);
}

function reasonIn(output: string): string {
  const reason = /^(?:Status description|Failure info): (?!unspecified)(.+)$/m.exec(output)?.[1];
  return reason === undefined ? '' : ` (${reason.trim()})`;
}

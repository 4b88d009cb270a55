import { LukhasError } from '../../errors.js';
import { clip } from '../../input/index.js';

export interface Posted {
  status: number;
  /** Media type, in lower case and without parameters. */
  type: string;
  body: Buffer;
}

const TIMEOUT_MS = 10_000;
/** More than any expected answer. */
const MAX_ANSWER = 256 * 1024;

/**
 * One POST, without following redirects.
 * @param request.called what errors call the address, when it must not be in them
 * @throws LukhasError ANCHOR_FAILED: no answer (also when the signal aborts), or one that is too long
 */
export async function post(
  url: string,
  request: { body: string | Uint8Array; type: string; signal?: AbortSignal | undefined; called?: string },
): Promise<Posted> {
  const { body, type, signal, called = url } = request;
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: typeof body === 'string' ? body : new Uint8Array(body),
      headers: { 'content-type': type },
      redirect: 'error',
      signal: signal === undefined ? late : AbortSignal.any([late, signal]),
    });
    const media = response.headers.get('content-type') ?? '';
    return {
      status: response.status,
      type: media.split(';')[0]?.trim().toLowerCase() ?? '',
      body: await readAnswer(response, called),
    };
  } catch (cause) {
    if (cause instanceof LukhasError) throw cause;
    const stopped = signal?.aborted === true ? 'no answer before lukhas had to stop' : null;
    const why = stopped ?? (late.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : whyNot(cause as Error));
    throw new LukhasError('ANCHOR_FAILED', `${called}: ${why}`, { cause });
  }
}

/** First line of an answer's text, for an error. */
export function firstLine({ body }: Posted): string {
  return clip(body.toString('utf8').split('\n')[0] ?? '', 300);
}

async function readAnswer(response: Response, url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER)
      throw new LukhasError('ANCHOR_FAILED', `${url}: the answer is longer than ${MAX_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** fetch says only that it failed; its cause says why. */
function whyNot({ message, cause }: Error): string {
  const { code, message: below } = (cause ?? {}) as NodeJS.ErrnoException;
  return `cannot be reached (${code ?? below ?? message})`;
}

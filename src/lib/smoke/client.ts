import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** A server, and how to call it. */
export interface Target {
  /** Without a path. */
  base: URL;
  /** Sent as `Authorization: Bearer`; null: none. */
  key: string | null;
  /** Longest wait for one answer, ms. */
  timeoutMs: number;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

interface Ask {
  method?: 'GET' | 'POST' | 'HEAD';
  headers?: Record<string, string>;
  body?: string;
  /** Instead of the target's own key. */
  key?: string | null;
}

/** Longest answer that is read, characters; the checks need no long ones. */
const MAX_BODY = 4_000_000;

/** One request and its answer. Uses node:http, because `fetch` cannot send a foreign Host. */
export async function ask(target: Target, path: string, options: Ask = {}): Promise<Answer> {
  const response = await open(target, path, options);
  let body = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    body += chunk;
    if (body.length > MAX_BODY) throw new Error(`${path} returned more than ${MAX_BODY} characters`);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** Resolves with the response's head; the caller reads its body. @throws Error when there is no answer in time */
export function open(
  { base, key, timeoutMs }: Target,
  path: string,
  options: Ask & { signal?: AbortSignal } = {},
): Promise<IncomingMessage> {
  const { method = 'GET', headers = {}, body, signal } = options;
  const bearer = options.key === undefined ? key : options.key;
  const send = base.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(new URL(path, base), {
      method,
      agent: false,
      headers: {
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
    request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
}

/** A JSON-RPC call as a plain `curl -d` sends it. */
export function post(target: Target, message: unknown, more: Ask = {}): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...more.headers };
  return ask(target, '/mcp', { ...more, method: 'POST', headers, body: JSON.stringify(message) });
}

/** Names and data of the events of a stream, until it ends or is destroyed. */
export async function* events(response: IncomingMessage): AsyncGenerator<{ name: string; data: unknown }> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (key: string) =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${key}:`))
          .map((line) => line.slice(key.length + 1).trimStart())
          .join('\n');
      if (field('event') !== '') yield { name: field('event'), data: json(field('data')) };
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

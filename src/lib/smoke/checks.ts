import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { ask, events, open, post, type Target } from './client.js';

/** Returns what the check found; throws `Failed` when something is wrong, and `Skipped` when there is nothing to check. */
type Check = (target: Target) => Promise<string>;

export class Failed extends Error {}
export class Skipped extends Error {}

/** Pinned: a server that drops this version breaks clients that were never updated. */
const PROTOCOL = '2025-06-18';
/** Time in which the job must complete. */
const PROBE_MS = 10_000;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Checks that make sense without a key; the others would only report that it is missing. */
export const WITHOUT_KEY: readonly string[] = ['health', 'readiness', 'keys', 'foreign origin', 'foreign host'];

/** Whether the server requires a key and rejects ours. */
export async function isLockedOut(target: Target): Promise<boolean> {
  return (await post(target, { jsonrpc: '2.0', id: 1, method: 'tools/list' })).status === 401;
}

/** In the order in which they are run and shown. */
export const CHECKS: Readonly<Record<string, Check>> = {
  health: checkHealth,
  readiness: checkReadiness,
  keys: checkKeys,
  'foreign origin': checkOrigin,
  'foreign host': checkHost,
  'protocol version': checkProtocol,
  'tool order': checkTools,
  'search and fetch': checkSearch,
  'JSON-RPC errors': checkErrors,
  'event stream': checkStream,
  'evidence export': checkExport,
};

async function checkHealth(target: Target): Promise<string> {
  const { status, body } = await ask(target, '/health');
  const hint = target.key === null ? KEY_HINT : ': the key that was given is not one of the server';
  if (status !== 200) throw new Failed(`GET /health returned ${status}${status === 401 ? hint : ''}`);
  const health = read(
    z.looseObject({ status: z.string(), version: z.string(), timestamp: z.string() }),
    body,
    '/health',
  );
  if (health.status !== 'ok') throw new Failed(`GET /health returned status ${JSON.stringify(health.status)}`);
  return `version ${health.version}`;
}

const KEY_HINT = ': set LUKHAS_API_KEY, or the variable given with --key-env';

async function checkReadiness(target: Target): Promise<string> {
  for (const path of ['/healthz', '/readyz']) {
    const { status, body } = await ask(target, path, { key: null });
    if (status !== 200) throw new Failed(`GET ${path} returned ${status}: ${body.slice(0, 300)}`);
  }
  return 'probes work without a key';
}

/** A wrong key, no key and a key in the URL must all be rejected. */
async function checkKeys(target: Target): Promise<string> {
  const wrong = randomBytes(24).toString('hex');
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const bare = await post(target, list, { key: null });
  const unknown = await post(target, list, { key: wrong });
  const inUrl = await ask(target, `/health?api_key=${wrong}`);
  if (inUrl.status < 400) throw new Failed('a key in the URL is not rejected');
  if (bare.status === 200) {
    if (target.key !== null) throw new Failed('the server does not require a key, although one was given');
    if (!LOOPBACK.test(target.base.hostname)) throw new Failed('anyone can call the server: it requires no key');
    return 'no key required (loopback)';
  }
  for (const [what, { status }] of Object.entries({ 'no key': bare, 'a wrong key': unknown }))
    if (status !== 401) throw new Failed(`POST /mcp with ${what} returned ${status}, not 401`);
  for (const path of ['/sse?topic=jobs', '/metrics', '/evidence/export?from=1d']) {
    const { status } = await ask(target, path, { key: wrong });
    if (status !== 401) throw new Failed(`GET ${path} with a wrong key returned ${status}, not 401`);
  }
  if (target.key === null) throw new Skipped(`the server requires a key${KEY_HINT}`);
  return 'no key, a wrong key and a key in the URL are rejected';
}

async function checkOrigin(target: Target): Promise<string> {
  for (const origin of ['https://attacker.example', 'null']) {
    const { status } = await ask(target, '/health', { headers: { origin } });
    if (status !== 403) throw new Failed(`a page of origin ${origin} gets ${status}, not 403`);
  }
  return 'pages of other origins are rejected';
}

async function checkHost(target: Target): Promise<string> {
  const { status } = await ask(target, '/health', { headers: { host: 'attacker.example' } });
  // A proxy in front may reject an unknown host with another status.
  if (status < 400) throw new Failed(`a request with a foreign Host gets ${status}: DNS rebinding is possible`);
  return `rejected with ${status}`;
}

async function checkProtocol(target: Target): Promise<string> {
  const params = { protocolVersion: PROTOCOL, capabilities: {}, clientInfo: { name: 'lukhas-smoke', version: '1' } };
  const { status, body } = await post(target, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
  if (status !== 200) throw new Failed(`initialize returned ${status}: ${body.slice(0, 300)}`);
  const schema = z.looseObject({ result: z.looseObject({ protocolVersion: z.string() }) });
  const { protocolVersion } = read(schema, body, 'initialize').result;
  if (protocolVersion !== PROTOCOL)
    throw new Failed(`initialize returned protocol ${protocolVersion}, not ${PROTOCOL}`);
  return PROTOCOL;
}

const toolList = z.looseObject({
  result: z.looseObject({
    tools: z.array(
      z.looseObject({ name: z.string(), inputSchema: z.looseObject({ required: z.unknown().optional() }) }),
    ),
  }),
});

async function listTools(target: Target) {
  const { body } = await post(target, { jsonrpc: '2.0', id: 1, method: 'tools/list' });
  return read(toolList, body, 'tools/list').result.tools;
}

/** Clients depend on the position of these two tools, and on this field. */
async function checkTools(target: Target): Promise<string> {
  const tools = await listTools(target);
  const [first, second] = tools;
  if (first?.name !== 'search' || second?.name !== 'fetch')
    throw new Failed(`the first tools are ${first?.name} and ${second?.name}, not search and fetch`);
  const required = JSON.stringify(second.inputSchema.required);
  if (required !== '["id"]') throw new Failed(`fetch.inputSchema.required is ${required}, not ["id"]`);
  return `${tools.length} tools, search and fetch first, fetch.required is ["id"]`;
}

/** A tool's JSON, from the text of its first item. */
async function call(target: Target, name: string, args: Record<string, unknown>): Promise<unknown> {
  const { status, body } = await post(target, {
    jsonrpc: '2.0',
    id: name,
    method: 'tools/call',
    params: { name, arguments: args },
  });
  const schema = z.looseObject({
    id: z.literal(name),
    result: z.looseObject({
      isError: z.boolean().optional(),
      content: z.array(z.looseObject({ text: z.string() })).min(1),
    }),
  });
  if (status !== 200) throw new Failed(`${name} returned ${status}: ${body.slice(0, 300)}`);
  const { result } = read(schema, body, name);
  const text = result.content[0]?.text ?? '';
  if (result.isError) throw new Failed(`${name}: ${text.slice(0, 300)}`);
  return parse(text, name);
}

async function checkSearch(target: Target): Promise<string> {
  const found = check(
    z.looseObject({
      results: z.array(z.looseObject({ id: z.string(), title: z.string(), url: z.string() })),
      ids: z.array(z.string()),
      hits: z.array(z.looseObject({ id: z.string() })),
    }),
    await call(target, 'search', { query: 'canary' }),
    'search',
  );
  const first = found.results[0];
  if (first === undefined) throw new Failed('search for "canary" finds nothing, not even in the documentation');
  const page = check(
    z.looseObject({ id: z.literal(first.id), title: z.string(), text: z.string().min(1), url: z.string() }),
    await call(target, 'fetch', { id: first.id }),
    'fetch',
  );
  return `${found.results.length} results; fetched ${page.id} (${page.text.length} characters)`;
}

async function checkErrors(target: Target): Promise<string> {
  const { body } = await post(target, { jsonrpc: '2.0', id: 7, method: 'no/such/method' });
  const schema = z.looseObject({ id: z.literal(7), error: z.looseObject({ code: z.literal(-32601) }) });
  read(schema, body, 'an unknown method');
  return 'an unknown method gives -32601, with the id of the request';
}

async function checkStream(target: Target): Promise<string> {
  const tools = await listTools(target);
  if (!tools.some((tool) => tool.name === 'run_eval'))
    throw new Skipped('the server is read-only: it cannot run a job');
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PROBE_MS);
  const seen: string[] = [];
  try {
    const stream = await open(target, '/sse?topic=jobs', {
      headers: { accept: 'text/event-stream' },
      signal: stop.signal,
    });
    if (stream.statusCode !== 200) throw new Failed(`GET /sse returned ${stream.statusCode}`);
    return await followProbe(target, stream, seen);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw new Failed(`the job did not complete within ${PROBE_MS / 1000} s; events: ${seen.join(', ') || 'none'}`);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function followProbe(target: Target, stream: Awaited<ReturnType<typeof open>>, seen: string[]): Promise<string> {
  const started = performance.now();
  let jobId: string | undefined;
  for await (const { name, data } of events(stream)) {
    if (name === 'open') {
      const job = await call(target, 'run_eval', { taskId: 'probe' });
      jobId = check(z.looseObject({ jobId: z.string() }), job, 'run_eval').jobId;
      continue;
    }
    if (jobId === undefined || (data as { jobId?: unknown } | null)?.jobId !== jobId) continue;
    seen.push(name);
    if (name === 'failed') throw new Failed(`job ${jobId} failed: ${JSON.stringify(data).slice(0, 300)}`);
    if (name !== 'completed') continue;
    if (seen.join() !== 'queued,running,completed') throw new Failed(`unexpected events of a job: ${seen.join(', ')}`);
    return `${seen.join(', ')} after ${Math.round(performance.now() - started)} ms`;
  }
  throw new Failed(`the stream ended; events so far: ${seen.join(', ') || 'none'}`);
}

async function checkExport(target: Target): Promise<string> {
  const response = await open(target, '/evidence/export?from=1d');
  const { statusCode: status, headers } = response;
  let [size, first, last] = [0, Buffer.alloc(0), Buffer.alloc(0)];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (first.length < 300) first = Buffer.concat([first, chunk]).subarray(0, 300);
    last = Buffer.concat([last, chunk]).subarray(-22);
  }
  if (status === 404) throw new Skipped('this server has no evidence export');
  // Nothing to export yet, or no signing key.
  if (status === 409) throw new Skipped(problemIn(first.toString()));
  if (status !== 200) throw new Failed(`GET /evidence/export returned ${status}: ${first.toString()}`);
  // APPNOTE 4.3.7 and 4.3.16: the first local header, and the end of a central directory without a comment.
  if (size < 22 || first.readUInt32LE(0) !== 0x04034b50 || last.readUInt32LE(0) !== 0x06054b50)
    throw new Failed(`GET /evidence/export did not return a complete zip (${headers['content-type']}, ${size} bytes)`);
  return `a zip of ${size} bytes`;
}

/** The message in an error of the server. */
function problemIn(body: string): string {
  try {
    return z.looseObject({ error: z.looseObject({ message: z.string() }) }).parse(JSON.parse(body)).error.message;
  } catch {
    return 'there is nothing to export yet';
  }
}

function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  return check(schema, parse(text, what), what);
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failed(`${what} did not return one JSON document: ${text.slice(0, 100)}`);
  }
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Failed(`${what}: ${issue?.path.join('.') || 'the answer'}: ${issue?.message}`);
}

import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { serveStdio } from '../../../src/daemon/mcp/stdio.js';
import { cases } from '../../cases.js';
import { until } from '../../until.js';
import { ASKER, CANARY, callOf, modern, type Place, place } from './place.js';

const RUNS = cases(10_000);
const LINES = cases(2_000);
const AT_ONCE = 8;

interface Sent {
  body: string;
  headers: Record<string, string>;
}

/** Right requests, to be made wrong. None of them waits. */
const VALID: readonly object[] = [
  { jsonrpc: '2.0', id: 1, method: 'ping' },
  { jsonrpc: '2.0', id: 'a', method: 'tools/list', params: { cursor: '' } },
  {
    jsonrpc: '2.0',
    id: 2,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
  },
  { jsonrpc: '2.0', method: 'notifications/initialized' },
  { jsonrpc: '2.0', id: 3, method: 'resources/read', params: { uri: 'lukhas://ledger/0' } },
  { jsonrpc: '2.0', id: 3, method: 'resources/list' },
  { jsonrpc: '2.0', id: 4, method: 'prompts/get', params: { name: 'review_canary', arguments: { id: 'x' } } },
  {
    jsonrpc: '2.0',
    id: 5,
    method: 'completion/complete',
    params: { ref: { type: 'ref/resource', uri: 'lukhas://ledger/{seq}' }, argument: { name: 'seq', value: '1' } },
  },
  callOf('start_canary', { ...CANARY, dryRun: true }, 6),
  callOf('canary_status', { canaryId: 'c-000000' }, 7),
  callOf('abort_canary', { canaryId: 'c-000000', reason: 'r' }, 8),
  callOf('why', { id: 'test' }, 'w'),
  callOf('why_math', { id: 'test' }, 9),
  callOf('search', { query: 'canary OR "', limit: 3 }, 10),
  callOf('fetch', { id: 'doc:why' }, 11),
  callOf('status', { jobId: 'j-000000' }, 12),
  callOf('promote_model', { modelId: 'm', gate: 'g', dryRun: true }, 13),
  modern('server/discover', {}, 14),
  modern('tools/call', { name: 'why', arguments: { id: 'test' } }, 15, { progressToken: 1 }),
  modern('resources/templates/list', {}, 16),
];

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(
    null,
    true,
    -0,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    '',
    '\u0000',
    '\ud800',
    '../../etc/passwd',
    '{',
    [],
    {},
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('__proto__', 'constructor', 'toString').map((key) => JSON.parse(`{"${key}": {"x": 1}}`)),
  fc.integer({ min: 1, max: 3000 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))),
);

/** A value somewhere in a request, replaced, left out, or joined by another. */
const mutated = fc
  .tuple(fc.constantFrom(...VALID), fc.nat(), odd, fc.constantFrom('replace', 'remove', 'add'), fc.string())
  .map(([valid, where, value, how, key]) => {
    const copy = structuredClone(valid) as Record<string, unknown>;
    const places: [Record<string, unknown>, string][] = [];
    const visit = (node: Record<string, unknown>) => {
      for (const [name, child] of Object.entries(node)) {
        places.push([node, name]);
        if (typeof child === 'object' && child !== null) visit(child as Record<string, unknown>);
      }
    };
    visit(copy);
    const [node, name] = places[where % places.length]!;
    if (how === 'remove') delete node[name];
    else
      Object.defineProperty(node, how === 'add' ? key : name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return JSON.stringify(copy);
  });

const broken = fc
  .tuple(fc.constantFrom(...VALID), fc.nat(), fc.nat(), fc.string({ unit: 'binary', maxLength: 6 }))
  .map(([valid, at, length, inserted]) => {
    const text = JSON.stringify(valid);
    const from = at % text.length;
    return text.slice(0, from) + inserted + text.slice(from + (length % 8));
  });

const body = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 2, arbitrary: broken },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value)) },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.oneof(
          mutated,
          odd.map((value) => JSON.stringify(value)),
        ),
        { maxLength: 5 },
      )
      .map((items) => `[${items.join(',')}]`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...VALID).map((valid) => JSON.stringify(valid).replace(/"id":[^,]+/, '"id":1e400')),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

const sent: fc.Arbitrary<Sent> = fc.record({
  body,
  headers: fc
    .record(
      {
        accept: fc.constantFrom('*/*', 'application/json, text/event-stream', 'text/event-stream', ''),
        'mcp-protocol-version': fc.constantFrom(
          '2024-11-05',
          '2025-03-26',
          '2025-11-25',
          '2026-07-28',
          '1',
          'x'.repeat(300),
        ),
        'mcp-method': fc.constantFrom('tools/call', 'tools/list', 'ping', '=?base64?x?='),
        'mcp-name': fc.constantFrom('why', '=?base64?!!?=', 'search'),
      },
      { requiredKeys: [] },
    )
    .map((headers) => headers as Record<string, string>),
});

describe('the MCP endpoint under nonsense', () => {
  it(`answers ${RUNS.toLocaleString('en')} bodies: never a fault of its own, always the right id`, async () => {
    const server = await place();
    const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
    const seed = Number(process.env['FUZZ_SEED'] ?? 20261122);
    const bodies = fc.sample(sent, { numRuns: RUNS, seed })[Symbol.iterator]();
    const statuses = new Map<number, number>();
    const work = async () => {
      for (const one of bodies) {
        const status = await check(server, agent, one);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      expect(server.errors).to.deep.equal([]);
      // It is nonsense of many kinds, and some of it is sense.
      expect([...statuses.keys()]).to.include.members([200, 202, 400]);
      expect(statuses.get(200)).to.be.above(RUNS / 20);
    } finally {
      agent.destroy();
      await server.close();
    }
  });
});

describe('MCP over stdin and stdout under nonsense', () => {
  it(`goes on after each of ${LINES.toLocaleString('en')} lines, and answers what has an id`, async () => {
    const server = await place();
    const [stdin, stdout] = [new PassThrough(), new PassThrough({ encoding: 'utf8' })];
    const answered = new Set<unknown>();
    createInterface({ input: stdout }).on('line', (line) => {
      for (const { id } of [JSON.parse(line)].flat()) answered.add(id);
    });
    const onError = (error: unknown) => server.errors.push(error);
    const { newServer, service } = server;
    const connection = await serveStdio(service, { newServer, actor: ASKER, stdin, stdout, onError });
    try {
      stdin.write(`${JSON.stringify(VALID[2])}\n`);
      const seed = Number(process.env['FUZZ_SEED'] ?? 20261122);
      for (const [number, text] of fc.sample(body, { numRuns: LINES, seed }).entries()) {
        const line = text.replace(/\n/g, ' ');
        const own = idOf(parsed(line));
        answered.clear();
        stdin.write(`${line}\n{"jsonrpc":"2.0","id":"after ${number}","method":"ping"}\n`);
        const isRequest = own !== null && 'method' in (parsed(line) as object);
        await until(() => answered.has(`after ${number}`) && (!isRequest || answered.has(own)), 1);
      }
      expect(server.errors).to.deep.equal([]);
    } finally {
      await connection.close();
      await server.close();
    }
  });
});

async function check(server: Place, agent: Agent, one: Sent): Promise<number> {
  const { status, type, text } = await exchange(server.url, agent, one);
  const what = JSON.stringify({ ...one, body: one.body.slice(0, 400), status, text: text.slice(0, 400) });
  expect(status, what).to.be.below(500);
  if (status === 202) expect(text, what).to.equal('');
  else if (type?.startsWith('text/event-stream')) expect(text, what).to.match(/^event: message\n/);
  else expectIds(one.body, JSON.parse(text), what);
  return status;
}

function expectIds(body: string, answer: unknown, what: string): void {
  const asked = parsed(body);
  if (Array.isArray(answer)) {
    const ids = (asked as unknown[]).map(idOf);
    for (const { id } of answer as { id: unknown }[]) expect(ids, what).to.include(id);
    return;
  }
  const { jsonrpc, id, result, error } = answer as Record<string, unknown>;
  expect(jsonrpc, what).to.equal('2.0');
  expect((result === undefined) !== (error === undefined), what).to.equal(true);
  expect(id, what).to.equal(idOf(asked));
  if (error !== undefined) expect((error as { code: number }).code, what).to.not.equal(-32603);
}

/** The id that an answer must have: the request's own where it is one that JSON can give back, else null. */
function idOf(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return null;
  const { id } = message as { id?: unknown };
  return typeof id === 'string' || Number.isSafeInteger(id) ? id : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function exchange(
  url: string,
  agent: Agent,
  { body: text, headers }: Sent,
): Promise<{ status: number; type: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = Buffer.from(text);
    const outgoing = request(
      url,
      {
        method: 'POST',
        agent,
        headers: { ...headers, 'content-type': 'application/json', 'content-length': payload.length },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            type: incoming.headers['content-type'],
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type SmokeReport, smoke } from '../../../src/lib/smoke/smoke.js';

const KEY = 'a-key-of-the-tests-0123';
const TOOLS: { name: string; inputSchema: { required?: string[] } }[] = [
  { name: 'search', inputSchema: { required: ['query'] } },
  { name: 'fetch', inputSchema: { required: ['id'] } },
  { name: 'run_eval', inputSchema: { required: ['taskId'] } },
  { name: 'list_canaries', inputSchema: {} },
];
const EMPTY_ZIP = Buffer.concat([
  Buffer.from('PK\x03\x04'),
  Buffer.alloc(40),
  Buffer.from('PK\x05\x06'),
  Buffer.alloc(18),
]);

/** How the server behaves; every test changes one thing. */
interface Behaviour {
  key: string | null;
  health: unknown;
  ready: number;
  /** Statuses for what must be refused. */
  origin: number;
  host: number;
  keyInUrl: number;
  unknownKey: number;
  protocolVersion: string;
  tools: typeof TOOLS;
  unknownMethod: unknown;
  results: { id: string; title: string; url: string }[];
  fetched: unknown;
  job: string[];
  /** Runs another job between the states of ours. */
  strangers: boolean;
  evidence: { status: number; body: Buffer };
}

const GOOD: Behaviour = {
  key: null,
  health: { status: 'ok', version: '1', timestamp: '2026-01-01T00:00:00.000Z' },
  ready: 200,
  origin: 403,
  host: 421,
  keyInUrl: 400,
  unknownKey: 401,
  protocolVersion: '2025-06-18',
  tools: TOOLS,
  unknownMethod: { error: { code: -32601, message: 'no' } },
  results: [{ id: 'doc:why', title: 'why', url: '' }],
  fetched: { id: 'doc:why', title: 'why', text: 'because', url: '' },
  job: ['queued', 'running', 'completed'],
  strangers: false,
  evidence: { status: 200, body: EMPTY_ZIP },
};

async function checked(change: Partial<Behaviour>, key: string | null = null): Promise<SmokeReport> {
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    answer({ ...GOOD, ...change }, streams, request, response).catch((error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await smoke(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { key, timeoutMs: 1000 });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function answer(
  b: Behaviour,
  streams: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '', 'http://x');
  const send = (status: number, body: unknown) => {
    response.writeHead(status).end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };
  if (!request.headers.host?.startsWith('127.0.0.1')) return send(b.host, {});
  if (request.headers.origin !== undefined) return send(b.origin, {});
  if (url.pathname === '/healthz' || url.pathname === '/readyz') return send(b.ready, {});
  if (url.searchParams.has('api_key')) return send(b.keyInUrl, {});
  const given = request.headers.authorization;
  if (b.key !== null && given !== `Bearer ${b.key}`) return send(given === undefined ? 401 : b.unknownKey, {});
  if (url.pathname === '/health') return send(200, b.health);
  if (url.pathname === '/metrics') return send(200, {});
  if (url.pathname === '/evidence/export') return send(b.evidence.status, b.evidence.body);
  if (url.pathname === '/sse') {
    streams.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
    response.write('retry: 300\nevent: open\nid: 0.0\ndata: {"ts":"now"}\n\n');
    return;
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const { id, method, params } = JSON.parse(body);
  if (method === 'initialize') send(200, { id, result: { protocolVersion: b.protocolVersion } });
  else if (method === 'tools/list') send(200, { id, result: { tools: b.tools } });
  else if (method !== 'tools/call') send(200, { id, ...(b.unknownMethod as object) });
  else send(200, { id, result: { content: [{ type: 'text', text: JSON.stringify(tool(b, streams, params.name)) }] } });
}

function tool(b: Behaviour, streams: Set<ServerResponse>, name: string): unknown {
  if (name === 'search') return { results: b.results, ids: b.results.map(({ id }) => id), hits: b.results };
  if (name === 'fetch') return b.fetched;
  for (const stream of streams)
    for (const state of b.job) {
      if (b.strangers) stream.write('event: failed\ndata: {"jobId":"j-other"}\n\n: a comment\n\n');
      stream.write(`event: ${state}\nid: 1.1\ndata: {"jobId":"j-1"}\n\n`);
    }
  return { jobId: 'j-1' };
}

const states = ({ checks }: SmokeReport) => Object.fromEntries(checks.map(({ name, state }) => [name, state]));
const failures = ({ checks }: SmokeReport) => checks.filter(({ state }) => state === 'failed');

describe('smoke', () => {
  it('passes a server that keeps its promises', async () => {
    const report = await checked({});
    expect(failures(report)).to.deep.equal([]);
    expect(report.ok).to.equal(true);
    expect(Object.values(states(report))).to.deep.equal(Array(11).fill('passed'));
  });

  it('passes one that asks for a key and gets it', async () => {
    expect(failures(await checked({ key: KEY }, KEY))).to.deep.equal([]);
  });

  it('says of one that asks for a key, and gets none or another, only that', async () => {
    for (const [key, detail, hint] of [
      [null, 'the server requires a key', /returned 401: set LUKHAS_API_KEY/],
      ['another-key-of-some-length', 'the server rejects this key', /returned 401: the key that was given is not/],
    ] as const) {
      const report = await checked({ key: KEY }, key);
      expect(report.ok).to.equal(false);
      expect(failures(report).map(({ name }) => name)).to.deep.equal(['health']);
      expect(failures(report)[0]?.detail).to.match(hint);
      for (const { state, detail: said } of report.checks.slice(5))
        expect([state, said]).to.deep.equal(['skipped', detail]);
    }
  });

  it('passes over what is not there, with a word why', async () => {
    const report = await checked({ tools: TOOLS.slice(0, 2), evidence: { status: 404, body: Buffer.from('{}') } });
    expect(report.ok).to.equal(true);
    expect(states(report)).to.include({ 'event stream': 'skipped', 'evidence export': 'skipped' });
    expect(report.checks.find(({ name }) => name === 'event stream')?.detail).to.match(/read-only/);
  });

  it("sees its own job among others' events", async () => {
    expect(failures(await checked({ strangers: true }))).to.deep.equal([]);
  });

  const BREAKS: Record<string, [Partial<Behaviour>, string, RegExp]> = {
    'is not well': [{ health: { status: 'down', version: '1', timestamp: '' } }, 'health', /"down"/],
    'is not ready': [{ ready: 503 }, 'readiness', /healthz returned 503/],
    'takes a key in the address': [{ keyInUrl: 200 }, 'keys', /key in the URL/],
    'answers pages of other origins': [{ origin: 200 }, 'foreign origin', /gets 200/],
    'answers for other hosts': [{ host: 200 }, 'foreign host', /rebinding/],
    'speaks another protocol version': [{ protocolVersion: '2099-01-01' }, 'protocol version', /2099-01-01/],
    'has moved search': [{ tools: [...TOOLS].reverse() }, 'tool order', /list_canaries and run_eval/],
    'wants more for fetch': [
      { tools: TOOLS.map((t) => ({ ...t, inputSchema: { required: ['id', 'more'] } })) },
      'tool order',
      /\["id","more"\]/,
    ],
    'finds nothing': [{ results: [] }, 'search and fetch', /finds nothing/],
    'fetches something else': [{ fetched: { ...(GOOD.fetched as object), id: 'x' } }, 'search and fetch', /fetch: id/],
    'has its own error codes': [{ unknownMethod: { error: { code: -32603 } } }, 'JSON-RPC errors', /error.code/],
    'runs jobs that fail': [{ job: ['queued', 'failed'] }, 'event stream', /failed/],
    'leaves out a state': [{ job: ['queued', 'completed'] }, 'event stream', /queued, completed/],
    'fails to export': [{ evidence: { status: 500, body: Buffer.from('disk') } }, 'evidence export', /500: disk/],
    'exports half a zip': [
      { evidence: { status: 200, body: EMPTY_ZIP.subarray(0, 30) } },
      'evidence export',
      /complete zip/,
    ],
  };
  for (const [what, [change, check, says]] of Object.entries(BREAKS)) {
    it(`fails one that ${what}`, async () => {
      const report = await checked(change);
      expect(report.ok).to.equal(false);
      expect(failures(report).map(({ name }) => name)).to.deep.equal([check]);
      expect(failures(report)[0]?.detail).to.match(says);
    });
  }

  it('fails one that takes any key, or none where one was to be asked for', async () => {
    const lax = await checked({ key: KEY, unknownKey: 200 }, KEY);
    expect(failures(lax)[0]).to.include({ name: 'keys' });
    const open = await checked({}, KEY);
    expect(failures(open)[0]?.detail).to.match(/does not require a key/);
  });

  it('fails where nothing listens, with one check and no waiting', async () => {
    const report = await smoke('http://127.0.0.1:9', { key: null });
    expect(report.checks.map(({ name, state }) => [name, state])).to.deep.equal([['health', 'failed']]);
  });

  it('refuses what is no address, and a key in one', async () => {
    for (const url of ['nonsense', 'ftp://127.0.0.1', 'http://user:secret@127.0.0.1', 'http://127.0.0.1?key=secret']) {
      const error = await smoke(url, { key: null }).catch((e) => e);
      expect(error, url).to.include({ code: 'USAGE' });
      expect(`${error.message} ${error.suggestions}`).not.to.include('secret');
    }
  });
});

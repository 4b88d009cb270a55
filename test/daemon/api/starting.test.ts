import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Served, serve } from './daemon.js';

type Body = Record<string, unknown> & { error?: { message: string }; suggestions?: string[] };

const PAGE = [
  '# TYPE model_requests_total counter',
  'model_requests_total{version="v2"} 1000',
  'model_requests_total{version="v1"} 9000',
  '# TYPE model_errors_total counter',
  'model_errors_total{version="v2"} 1',
  'model_errors_total{version="v1"} 9',
  '',
].join('\n');
const CANARY = { modelId: 'fraud-v2', fromGate: 'stage', toGate: 'production' };
const LIMITS = { targets: { max_error_rate: 0.02 } };

describe('starting over HTTP', () => {
  let page: Server;
  let dir: string;
  let at: Served;
  before(async () => {
    page = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/plain' }).end(PAGE));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    dir = await mkdtemp(join(tmpdir(), 'lukhas-starting-'));
    const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/metrics`;
    await writeFile(
      join(dir, 'lukhas.yaml'),
      [
        'policy: slo.yaml',
        'source:',
        '  kind: scrape',
        `  canaryUrl: ${url}`,
        `  baselineUrl: ${url}`,
        'arms: { canary: { version: v2 }, baseline: { version: v1 } }',
        'signals: { requests: model_requests_total, errors: model_errors_total }',
        'tasks: { bench: { command: [echo, hello], description: Says hello } }',
        '',
      ].join('\n'),
    );
    await writeFile(
      join(dir, 'slo.yaml'),
      'name: careful\nwindowSeconds: 600\ntargets: { max_error_rate: 0.02 }\napprovals: { required: 1 }\n',
    );
    at = await serve({ cwd: dir });
  });
  after(async () => {
    await at.stop();
    page.close();
    await rm(dir, { recursive: true, force: true });
  });

  const post = async (path: string, body: unknown, headers: Record<string, string> = {}, to = at) => {
    const response = await fetch(`${to.url}/api/${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const started = async () =>
    (await at.app.ledger.events({ kinds: ['canary.requested'] })).map(({ subject }) => subject);

  it('shows what there is to start with, without the addresses of anything', async () => {
    const text = await (await fetch(`${at.url}/api/policies`)).text();
    const choices = JSON.parse(text);
    expect(choices.configured.name).to.equal('careful');
    expect(choices.configured.policy.approvals.required).to.equal(1);
    expect(choices).to.deep.include({ source: 'scrape', recorded: [], models: [], hooks: { promote: 0, rollback: 0 } });
    expect(choices.tasks).to.deep.include({ id: 'bench', description: 'Says hello' });
    expect(text).to.not.include('127.0.0.1');
  });

  it('plans as the tool does, and names the field that is wrong', async () => {
    const asked = { requestsPerSecond: 40, ...LIMITS, windowSeconds: 900 };
    const { status, body } = await post('plan', asked);
    expect(status).to.equal(200);
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'plan', arguments: asked } };
    const answer = await fetch(`${at.url}/mcp`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(call),
    });
    const tool = (await answer.json()) as { result: { structuredContent: unknown } };
    expect(body).to.deep.equal(tool.result.structuredContent);
    for (const [wrong, field] of [
      [{ requestsPerSecond: 0 }, 'requestsPerSecond'],
      [{ requestsPerSecond: 1, targets: { max_error_rate: 2 } }, 'max_error_rate'],
      [{ requestsPerSecond: 1, windowSeconds: -1 }, 'windowSeconds'],
      [{ requestsPerSecond: 1, targets: { max_errors: 1 } }, null],
    ] as const) {
      const refused = await post('plan', wrong);
      expect(refused.status, JSON.stringify(refused.body)).to.equal(400);
      expect(refused.body['field']).to.equal(field);
    }
  });

  it('starts one canary however often the button is pressed, and another one for another key', async () => {
    const key = { 'Idempotency-Key': 'a-click' };
    const asked = { ...CANARY, ...LIMITS };
    const answers = await Promise.all([post('canary/start', asked, key), post('canary/start', asked, key)]);
    const again = await post('canary/start', asked, key);
    const ids = [...answers, again].map(({ status, body }) => {
      expect(status, JSON.stringify(body)).to.equal(200);
      return body['canaryId'];
    });
    expect(await started()).to.deep.equal([ids[0]]);
    expect(new Set(ids).size).to.equal(1);
    const other = await post('canary/start', { ...asked, modelId: 'fraud-v3' }, key);
    expect(other.status).to.equal(409);
    // Another one that reads the same series is refused, with the argument that allows it.
    const next = await post('canary/start', asked, { 'Idempotency-Key': 'another' });
    expect(next).to.deep.include({ status: 409 });
    expect(next.body['reason']).to.equal('SHARED_SERIES');
    expect(next.body.suggestions!.join(' ')).to.include('"allowSharedSeries": true').and.not.include('--allow');
    // What failed is tried again under the same key.
    const retry = await post('canary/start', { ...asked, allowSharedSeries: true }, { 'Idempotency-Key': 'another' });
    expect(retry.status).to.equal(200);
    expect(await started()).to.have.lengthOf(2);
    const events = await at.app.ledger.events({ subject: String(ids[0]), kinds: ['canary.requested'] });
    expect(events[0]!.data).to.deep.include({
      modelId: 'fraud-v2',
      requestedBy: { who: '127.0.0.1', how: 'loopback' },
    });
  });

  it('refuses what the operator does not allow or the first check does not find, at its field', async () => {
    for (const [change, status, field, words] of [
      [{ targets: { max_error_rate: 0.1 } }, 400, 'max_error_rate', 'looser than the configured policy'],
      [{ windowSeconds: 60 }, 400, 'windowSeconds', 'looser'],
      [{ modelId: 'a b' }, 400, 'modelId', 'is not valid'],
      [{ targets: { latency_p95_ms: 250 } }, 409, 'latency_p95_ms', 'the policy asks for latency'],
      [{ more: 1 }, 400, null, 'more'],
    ] as const) {
      const { status: was, body } = await post('canary/start', { ...CANARY, ...LIMITS, ...change });
      expect([JSON.stringify(change), was, body['field'] ?? null]).to.deep.equal([
        JSON.stringify(change),
        status,
        field,
      ]);
      expect(body.error!.message).to.include(words);
    }
  });

  it('queues a configured job, and says which there are', async () => {
    const { status, body } = await post('job/start', { taskId: 'bench' });
    expect([status, body['taskId']]).to.deep.equal([200, 'bench']);
    const refused = await post('job/start', { taskId: 'bnech' });
    expect(refused.status).to.equal(400);
    expect(refused.body.error!.message).to.include('bench');
  });

  it('needs a page of its own for a session, and changes nothing with --read-only', async () => {
    const guarded = await serve({ env: { LUKHAS_MCP_API_KEYS: 'k'.repeat(20) } });
    try {
      const login = await fetch(`${guarded.url}/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ key: 'k'.repeat(20) }),
      });
      const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
      const asked = { ...CANARY, ...LIMITS, allowMissing: true };
      for (const path of ['canary/start', 'job/start', 'plan']) {
        expect((await post(path, asked, {}, guarded)).status).to.equal(401);
        expect((await post(path, asked, { cookie }, guarded)).status).to.equal(403);
        expect((await post(path, asked, { cookie, origin: 'http://evil.example' }, guarded)).status).to.equal(403);
      }
    } finally {
      await guarded.stop();
    }
    const readOnly = await serve({ readOnly: true });
    try {
      expect((await post('canary/start', { ...CANARY, ...LIMITS }, {}, readOnly)).status).to.equal(403);
      expect((await post('job/start', { taskId: 'probe' }, {}, readOnly)).status).to.equal(403);
      expect((await post('plan', { requestsPerSecond: 10, ...LIMITS }, {}, readOnly)).status).to.equal(200);
    } finally {
      await readOnly.stop();
    }
  });
});

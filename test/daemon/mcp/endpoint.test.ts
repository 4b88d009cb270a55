import { expect } from 'chai';
import { CANARY, callOf, modern, modernHeaders, type Place, place, post, warningsOf } from './place.js';

const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('the MCP endpoint', () => {
  let server: Place;

  before(async () => {
    server = await place();
  });
  after(() => server.close());

  describe('answers a plain client with one JSON document', () => {
    for (const accept of ['*/*', 'application/json', 'text/html', 'application/json, text/event-stream', ''])
      it(`that accepts ${accept || 'nothing'}, without initialize and without a session`, async () => {
        const { status, type, json, headers } = await post(server.url, callOf('why', { id: 'test' }), {
          Accept: accept,
        });
        expect([status, type]).to.deep.equal([200, 'application/json']);
        expect(json.result.content[0].text).to.include('"test" not found');
        expect(headers.get('mcp-session-id')).to.equal(null);
        expect(headers.get('cache-control')).to.equal('no-store');
      });

    it('also when it gives a progress token and cannot take a stream', async () => {
      const request = callOf('canary_status', { canaryId: await started(), waitSeconds: 0.01 });
      Object.assign((request as { params: object }).params, { _meta: { progressToken: 'p' } });
      const { status, type, json } = await post(server.url, request);
      expect([status, type, json.id]).to.deep.equal([200, 'application/json', 1]);
    });

    it('of the newest version, too', async () => {
      const request = modern(
        'tools/call',
        { name: 'canary_status', arguments: { canaryId: await started(), waitSeconds: 0.01 } },
        5,
        {
          progressToken: 'p',
        },
      );
      const headers = { ...modernHeaders('tools/call', 'canary_status'), Accept: '*/*' };
      const { status, type, json } = await post(server.url, request, headers);
      expect([status, type, json.id]).to.deep.equal([200, 'application/json', 5]);
      expect(json.result.resultType).to.equal('complete');
    });
  });

  it('answers 50 calls that wait at the same time without a warning of the runtime, a batch or not', async () => {
    const canaryId = await started();
    const args = { canaryId, waitSeconds: 0.2 };
    const one = callOf('canary_status', args);
    const newest = modern('tools/call', { name: 'canary_status', arguments: args });
    const calls = Array.from({ length: 50 }, () => one);
    const warnings = await warningsOf(async () => {
      const answers = await Promise.all([
        post(server.url, calls),
        ...calls.map((call) => post(server.url, call)),
        ...calls.map(() => post(server.url, newest, modernHeaders('tools/call', 'canary_status'))),
      ]);
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
      expect(answers[0]?.json).to.have.length(50);
    });
    expect(warnings).to.deep.equal([]);
  });

  describe('with a progress token and a client that takes streams', () => {
    const events = (text: string) =>
      text
        .split('\n\n')
        .filter(Boolean)
        .map((block) => JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null'));

    for (const era of ['legacy', 'modern'] as const)
      it(`tells how a wait goes before it answers (${era})`, async () => {
        const params = { name: 'canary_status', arguments: { canaryId: await started(), waitSeconds: 0.05 } };
        const plain = {
          jsonrpc: '2.0',
          id: 'w',
          method: 'tools/call',
          params: { ...params, _meta: { progressToken: 7 } },
        };
        const request = era === 'legacy' ? plain : modern('tools/call', params, 'w', { progressToken: 7 });
        const headers =
          era === 'legacy'
            ? { Accept: 'application/json, text/event-stream' }
            : modernHeaders('tools/call', 'canary_status');
        const { status, type, text } = await post(server.url, request, headers);
        expect([status, type]).to.deep.equal([200, 'text/event-stream']);
        const told = events(text);
        const last = told.pop();
        expect(told.length).to.be.above(0);
        for (const { method, params: progress } of told) {
          expect(method).to.equal('notifications/progress');
          expect(progress).to.include({ progressToken: 7, total: 0.05 });
          expect(progress.message).to.include('PENDING');
        }
        expect(last.id).to.equal('w');
        expect(last.result.structuredContent.status).to.equal('PENDING');
      });
  });

  describe('keeps to JSON-RPC 2.0', () => {
    const cases: [string, unknown, number, { id: unknown; code: number }][] = [
      ['what is not JSON', '{"jsonrpc": "2.0", "id": 1', 400, { id: null, code: -32700 }],
      ['nothing', '', 400, { id: null, code: -32700 }],
      ['JSON that is not UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 400, { id: null, code: -32700 }],
      ['a number', '7', 400, { id: null, code: -32600 }],
      ['an object that is no message', { id: 9 }, 400, { id: 9, code: -32600 }],
      ['another version', { ...PING, jsonrpc: '1.0', id: 'v' }, 400, { id: 'v', code: -32600 }],
      ['a method that is no text', { ...PING, method: 5 }, 400, { id: 1, code: -32600 }],
      ['the id null', { ...PING, id: null }, 400, { id: null, code: -32600 }],
      ['an id that is an object', { ...PING, id: {} }, 400, { id: null, code: -32600 }],
      [
        'an id that no double holds',
        '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}',
        400,
        { id: null, code: -32600 },
      ],
      ['params that are a text', { ...PING, params: 'x' }, 400, { id: 1, code: -32600 }],
      ['params by position', { ...PING, params: [1] }, 400, { id: 1, code: -32602 }],
      ['an unknown method', { ...PING, method: 'no/such' }, 200, { id: 1, code: -32601 }],
      [
        'a method of the newest version alone',
        { ...PING, method: 'subscriptions/listen' },
        200,
        { id: 1, code: -32601 },
      ],
      ['a call without a name', { ...PING, method: 'tools/call', params: {} }, 200, { id: 1, code: -32602 }],
      ['a call without params', { ...PING, method: 'tools/call' }, 200, { id: 1, code: -32602 }],
      ['arguments that are a list', callOf('why', []), 200, { id: 1, code: -32602 }],
      ['initialize without a version', { ...PING, method: 'initialize', params: {} }, 200, { id: 1, code: -32602 }],
      ['a prompt without a name', { ...PING, method: 'prompts/get', params: {} }, 200, { id: 1, code: -32602 }],
      [
        'a resource that is not there',
        { ...PING, method: 'resources/read', params: { uri: 'lukhas://canary/x' } },
        200,
        { id: 1, code: -32602 },
      ],
      [
        'a cursor that is a number',
        { ...PING, method: 'tools/list', params: { cursor: 5 } },
        200,
        { id: 1, code: -32602 },
      ],
    ];
    for (const [what, body, status, error] of cases)
      it(`refuses ${what}`, async () => {
        const answer = await post(server.url, body);
        expect([answer.status, answer.type]).to.deep.equal([status, 'application/json']);
        expect(answer.json.error.message).to.be.a('string').and.not.include('\n');
        expect({ id: answer.json.id, code: answer.json.error.code }).to.deep.equal(error);
        expect(answer.json).to.have.all.keys('jsonrpc', 'id', 'error');
      });

    it('gives ids back as they came', async () => {
      for (const id of ['', '0', 'ünï', '\u0000', 0, -1, 7, Number.MAX_SAFE_INTEGER]) {
        expect((await post(server.url, { ...PING, id })).json).to.deep.equal({ jsonrpc: '2.0', id, result: {} });
        expect((await post(server.url, { ...PING, id, method: 'no/such' })).json.id).to.equal(id);
      }
    });

    it('takes notifications and answers without a word', async () => {
      for (const body of [
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        { jsonrpc: '2.0', method: 'no/such' },
        { jsonrpc: '2.0', id: 4, result: {} },
      ]) {
        const { status, text } = await post(server.url, body);
        expect([status, text]).to.deep.equal([202, '']);
      }
    });

    it('answers a batch, each message for itself', async () => {
      const { status, json } = await post(server.url, [
        PING,
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        7,
        { ...PING, id: 'twice' },
        { ...PING, id: 'twice', method: 'no/such' },
        {
          ...PING,
          id: 3,
          method: 'initialize',
          params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
        },
        modern('tools/list', {}, 4),
      ]);
      expect(status).to.equal(200);
      const short = json.map((one: { id: unknown; error?: { code: number } }) => [one.id, one.error?.code ?? 'ok']);
      expect(short).to.deep.equal([
        [1, 'ok'],
        [null, -32600],
        ['twice', 'ok'],
        ['twice', -32601],
        [3, -32600],
        [4, -32600],
      ]);
      const silent = await post(server.url, [{ jsonrpc: '2.0', method: 'notifications/initialized' }]);
      expect([silent.status, silent.text]).to.deep.equal([202, '']);
    });

    it('refuses batches where the version has none, empty ones, and endless ones', async () => {
      for (const version of ['2025-06-18', '2025-11-25', '2026-07-28']) {
        const { status, json } = await post(server.url, [PING], { 'MCP-Protocol-Version': version });
        expect([status, json.error.code, json.id]).to.deep.equal([400, -32600, null]);
      }
      expect((await post(server.url, [PING], { 'MCP-Protocol-Version': '2025-03-26' })).status).to.equal(200);
      expect((await post(server.url, [])).json.error.code).to.equal(-32600);
      expect((await post(server.url, Array(101).fill(PING))).json.error.code).to.equal(-32600);
      for (const nested of [[[]], [[PING]], [PING, [PING]]]) {
        const { status, json } = await post(server.url, nested);
        expect([status, json.error.code, json.id], JSON.stringify(nested)).to.deep.equal([400, -32600, null]);
      }
    });

    it('refuses a megabyte of nonsense, and more than that without reading it', async () => {
      const nonsense = 'x'.repeat(1024 * 1024);
      expect((await post(server.url, nonsense)).json.error.code).to.equal(-32700);
      const deep = '['.repeat(500_000) + ']'.repeat(500_000);
      const { json } = await post(server.url, deep);
      expect([json.id, json.error.code]).to.deep.equal([null, -32600]);
      expect((await post(server.url, `${nonsense}y`)).status).to.equal(413);
    });

    it('refuses what is nested without end, with its id', async () => {
      for (const depth of [101, 5_000, 100_000])
        for (const value of ['['.repeat(depth) + ']'.repeat(depth), `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`]) {
          const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"why","arguments":{"id":${value}}}}`;
          const alone = await post(server.url, call);
          expect([alone.json.id, alone.json.error.code]).to.deep.equal([1, -32602]);
          const newest = await post(server.url, call, modernHeaders('tools/call', 'why'));
          expect([newest.json.id, newest.json.error.code]).to.deep.equal([1, -32602]);
          const batch = await post(server.url, `[${call},${JSON.stringify(PING)}]`);
          expect(
            batch.json.map((one: { id: number; error?: { code: number } }) => one.error?.code ?? 'ok'),
          ).to.deep.equal([-32602, 'ok']);
        }
    });

    it('names the published versions where another one is asked for, whichever text it is', async () => {
      const published = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
      for (const version of ['2025-06-19', '2099-01-01', 'DRAFT-2026-v1', '1', 'x'.repeat(300), '__proto__', ''])
        for (const body of [{ ...PING, id: 'v', method: 'tools/list' }, [PING], { jsonrpc: '2.0', method: 'note' }]) {
          const { status, json } = await post(server.url, body, { 'MCP-Protocol-Version': version });
          expect([status, json.error.data?.supported], `${version} ${JSON.stringify(body)}`).to.deep.equal([
            400,
            published,
          ]);
          expect(json.id).to.equal('id' in body ? 'v' : null);
        }
      // Where the message itself says so, those that server/discover lists.
      for (const version of ['2099-01-01', 'DRAFT-2026-v1', '2025-11-25', '']) {
        const claim = modern('tools/list', {}, 'c', { 'io.modelcontextprotocol/protocolVersion': version });
        const headers = { ...modernHeaders('tools/list'), 'MCP-Protocol-Version': version };
        const { status, json } = await post(server.url, claim, headers);
        expect([status, json.id, json.error.code], version).to.deep.equal([400, 'c', -32022]);
        expect(json.error.data).to.deep.equal({ supported: ['2026-07-28'], requested: version });
      }
      const initialize = {
        ...PING,
        method: 'initialize',
        params: { protocolVersion: 'DRAFT', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
      };
      for (const version of ['2025-06-19', 'DRAFT-2026-v1']) {
        const { json } = await post(server.url, initialize, { 'MCP-Protocol-Version': version });
        expect(json.result.protocolVersion).to.equal('2025-11-25');
      }
    });

    it('is reached with a slash at the end of its address', async () => {
      expect((await post(`${server.url}/`, PING)).json).to.deep.equal({ jsonrpc: '2.0', id: 1, result: {} });
      expect((await fetch(`${server.url}//`, { method: 'POST' })).status).to.equal(404);
    });
  });

  describe('keeps to HTTP', () => {
    it('refuses a body of another type', async () => {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/jsonp']) {
        const { status, json } = await post(server.url, PING, { 'Content-Type': type });
        expect([status, json.error.code], type).to.deep.equal([415, -32000]);
      }
      expect((await post(server.url, PING, { 'Content-Type': 'application/json; charset=utf-8' })).status).to.equal(
        200,
      );
    });

    it('has no stream to GET and no session to DELETE', async () => {
      for (const method of ['GET', 'DELETE', 'HEAD']) {
        const response = await fetch(server.url, { method, headers: { Accept: 'text/event-stream' } });
        await response.arrayBuffer();
        expect([response.status, response.headers.get('allow')], method).to.deep.equal([405, 'POST, OPTIONS']);
      }
    });

    it('says to OPTIONS what it takes', async () => {
      const response = await fetch(server.url, { method: 'OPTIONS' });
      await response.arrayBuffer();
      expect(response.status).to.equal(204);
      expect(response.headers.get('allow')).to.include('POST');
    });

    it('refuses versions that are not published, and names those that are', async () => {
      const { status, json } = await post(server.url, PING, { 'MCP-Protocol-Version': '1999-01-01' });
      expect([status, json.id]).to.deep.equal([400, 1]);
      const [newest, ...older] = json.error.data.supported;
      expect(newest).to.equal('2026-07-28');
      expect(older).to.deep.equal(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']);
      for (const version of older)
        expect((await post(server.url, PING, { 'MCP-Protocol-Version': version })).status, version).to.equal(200);
      const listed = await post(server.url, modern('tools/list'), modernHeaders('tools/list'));
      expect(listed.status).to.equal(200);
      // A draft, which the package would take.
      expect((await post(server.url, PING, { 'MCP-Protocol-Version': '2024-10-07' })).status).to.equal(400);
      const params = { protocolVersion: '2024-10-07', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
      const draft = await post(server.url, { ...PING, method: 'initialize', params });
      expect(draft.json.result.protocolVersion).to.equal('2025-11-25');
    });
  });

  describe('speaks every version', () => {
    for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])
      it(`${version}, as initialize asks for it`, async () => {
        const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'c', version: '1' } };
        const { json } = await post(server.url, { ...PING, method: 'initialize', params });
        expect(json.result.protocolVersion).to.equal(version);
        expect(json.result.serverInfo.name).to.equal('lukhas');
        // Nothing could bring the news of a subscription to a client without a stream.
        expect(json.result.capabilities.resources).to.deep.equal({});
      });

    it('the newest with initialize, where one is asked for that is not published', async () => {
      const params = { protocolVersion: '2099-01-01', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
      const { json } = await post(server.url, { ...PING, method: 'initialize', params });
      expect(json.result.protocolVersion).to.equal('2025-11-25');
    });

    it('2026-07-28, by server/discover', async () => {
      const { json } = await post(server.url, modern('server/discover'), modernHeaders('server/discover'));
      expect(json.result.supportedVersions).to.deep.equal(['2026-07-28']);
      expect(json.result.capabilities.resources).to.deep.equal({ subscribe: true, listChanged: true });
    });

    it('2026-07-28 with the status that it wants', async () => {
      const unknown = await post(server.url, modern('no/such', {}, 'n'), modernHeaders('no/such'));
      expect([unknown.status, unknown.json.error.code, unknown.json.id]).to.deep.equal([404, -32601, 'n']);
      const mismatch = await post(server.url, modern('tools/list', {}, 'm'), modernHeaders('prompts/list'));
      expect([mismatch.status, mismatch.json.error.code, mismatch.json.id]).to.deep.equal([400, -32020, 'm']);
      const bare = await post(server.url, { ...PING, method: 'tools/list' }, modernHeaders('tools/list'));
      expect([bare.status, bare.json.error.code, bare.json.id]).to.deep.equal([400, -32602, 1]);
    });
  });

  describe('tells subscribers of 2026-07-28', () => {
    it('of a canary that changes and of a new one, and ends in order', async () => {
      const canaryId = await started();
      const uri = `lukhas://canary/${canaryId}`;
      const notifications = { resourcesListChanged: true, resourceSubscriptions: [uri] };
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...modernHeaders('subscriptions/listen') },
        body: JSON.stringify(modern('subscriptions/listen', { notifications }, 'sub')),
      });
      expect(response.headers.get('content-type')).to.equal('text/event-stream');
      const seen = reader(response);
      expect((await seen.next()).method).to.equal('notifications/subscriptions/acknowledged');
      await post(server.url, callOf('abort_canary', { canaryId, reason: 'told' }));
      const updated = await seen.next();
      expect(updated.method).to.equal('notifications/resources/updated');
      expect(updated.params.uri).to.equal(uri);
      await started();
      expect((await seen.next()).method).to.equal('notifications/resources/list_changed');
      await seen.cancel();
    });
  });

  async function started(): Promise<string> {
    return (await post(server.url, callOf('start_canary', CANARY))).json.result.structuredContent.canaryId;
  }
});

/** The messages of a stream, one after the other. */
function reader(response: Response) {
  const stream = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = '';
  return {
    cancel: () => stream.cancel(),
    // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
    async next(): Promise<any> {
      for (;;) {
        const end = buffer.indexOf('\n\n');
        if (end >= 0) {
          const [, data] = /^data: (.*)$/m.exec(buffer.slice(0, end)) ?? [];
          buffer = buffer.slice(end + 2);
          if (data !== undefined) return JSON.parse(data);
          continue;
        }
        const { done, value } = await stream.read();
        if (done) throw new Error('the stream has ended');
        buffer += value;
      }
    },
  };
}

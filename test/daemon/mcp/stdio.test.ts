import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { createLukhasServer } from '../../../src/daemon/mcp/server.js';
import { type StdioConnection, serveStdio } from '../../../src/daemon/mcp/stdio.js';
import { Service } from '../../../src/daemon/service.js';
import { ASKER, CANARY, callOf, modern, openTestApp, warningsOf } from './place.js';

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'i',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
};

/** A client at the other end of two pipes. */
class Pipes {
  readonly stdin = new PassThrough();
  /** Holds so little that each answer waits until the one before is taken. */
  readonly stdout = new PassThrough({ encoding: 'utf8', highWaterMark: 16 });
  private buffer = '';
  private readonly lines: string[] = [];
  private waiting: (() => void) | null = null;

  constructor() {
    this.stdout.on('data', (text: string) => {
      this.buffer += text;
      const parts = this.buffer.split('\n');
      this.buffer = parts.pop() ?? '';
      this.lines.push(...parts);
      this.waiting?.();
    });
  }

  raw(text: string | Buffer): void {
    this.stdin.write(text);
  }

  send(...messages: object[]): void {
    this.stdin.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  /** Passes over what is told meanwhile. */
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
  async answerTo(id: unknown): Promise<any> {
    for (;;) {
      const message = await this.next();
      if (message.id === id) return message;
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
  async next(): Promise<any> {
    while (this.lines.length === 0)
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    return JSON.parse(this.lines.shift() ?? '');
  }
}

describe('MCP over stdin and stdout', () => {
  let service: Service;
  let remove: () => Promise<void>;
  let pipes: Pipes;
  let connection: StdioConnection;
  const errors: unknown[] = [];

  beforeEach(async () => {
    const opened = await openTestApp();
    service = new Service(opened.app);
    remove = opened.remove;
    pipes = new Pipes();
    const { stdin, stdout } = pipes;
    const onError = (error: unknown) => errors.push(error);
    const newServer = createLukhasServer(service, { version: '1', onError });
    connection = await serveStdio(service, { newServer, actor: ASKER, stdin, stdout, onError });
  });
  afterEach(async () => {
    await connection.close();
    await connection.finished;
    service.close();
    await remove();
    expect(errors.splice(0)).to.deep.equal([]);
  });

  it('serves a client that opens with initialize', async () => {
    pipes.send(INITIALIZE);
    expect((await pipes.next()).result).to.deep.include({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'lukhas', title: 'lukhas', version: '1' },
    });
    pipes.send({ jsonrpc: '2.0', method: 'notifications/initialized' }, callOf('start_canary', CANARY, 2));
    expect((await pipes.answerTo(2)).result.structuredContent.status).to.equal('PENDING');
    pipes.send(callOf('canary_status', {}, 3));
    expect((await pipes.answerTo(3)).result.isError).to.equal(true);
  });

  it('tells a subscriber of either era what has changed', async () => {
    pipes.send(INITIALIZE);
    expect((await pipes.next()).result.capabilities.resources).to.deep.equal({ subscribe: true, listChanged: true });
    const { canaryId } = await service.startCanary({ ...CANARY, dryRun: false }, ASKER);
    expect((await pipes.next()).method).to.equal('notifications/resources/list_changed');
    const uri = `lukhas://canary/${canaryId}`;
    pipes.send({ jsonrpc: '2.0', id: 's', method: 'resources/subscribe', params: { uri } });
    expect(await pipes.next()).to.deep.equal({ jsonrpc: '2.0', id: 's', result: {} });
    await service.abortCanary(canaryId, 'told', ASKER);
    expect(await pipes.next()).to.deep.equal({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri },
    });
    pipes.send({ jsonrpc: '2.0', id: 'u', method: 'resources/unsubscribe', params: { uri } });
    expect((await pipes.next()).id).to.equal('u');
  });

  it('serves a client of the newest version, with its subscriptions', async () => {
    const { canaryId } = await service.startCanary({ ...CANARY, dryRun: false }, ASKER);
    const uri = `lukhas://canary/${canaryId}`;
    pipes.send(modern('subscriptions/listen', { notifications: { resourceSubscriptions: [uri] } }, 'l'));
    expect((await pipes.next()).method).to.equal('notifications/subscriptions/acknowledged');
    await service.abortCanary(canaryId, 'told', ASKER);
    const { method, params } = await pipes.next();
    expect([method, params.uri]).to.deep.equal(['notifications/resources/updated', uri]);
    pipes.send(modern('tools/call', { name: 'canary_status', arguments: { canaryId } }, 9));
    expect((await pipes.answerTo(9)).result.structuredContent.status).to.equal('ABORTED');
  });

  it('answers what was asked before the client closed its end, and then ends', async () => {
    pipes.send(INITIALIZE, callOf('why', { id: 'test' }, 1), callOf('canary_status', { canaryId: 'c-none00' }, 2));
    pipes.stdin.end();
    expect((await pipes.next()).id).to.equal('i');
    const answered = [(await pipes.next()).id, (await pipes.next()).id];
    expect(answered.sort()).to.deep.equal([1, 2]);
    await connection.finished;
  });

  it('answers a line that is no message, as over HTTP, and goes on', async () => {
    const errorOf = async () => {
      const { id, error } = await pipes.next();
      return [id, error.code];
    };
    pipes.raw('garbage\n');
    expect(await errorOf()).to.deep.equal([null, -32700]);
    pipes.raw(Buffer.from([0x22, 0xff, 0x22, 0x0a]));
    expect(await errorOf()).to.deep.equal([null, -32700]);
    pipes.raw('\n  \r\n{"hello":1}\n');
    expect(await errorOf()).to.deep.equal([null, -32600]);
    pipes.raw('{"jsonrpc":"2.0","id":4}\n');
    expect(await errorOf()).to.deep.equal([4, -32600]);
    pipes.raw('[1,2]\n');
    const two = await pipes.next();
    expect(two.map(({ id, error }: { id: null; error: { code: number } }) => [id, error.code])).to.deep.equal([
      [null, -32600],
      [null, -32600],
    ]);
    pipes.raw('[]\n');
    expect(await errorOf()).to.deep.equal([null, -32600]);
    pipes.raw('[{"jsonrpc":"2.0","id":7,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"}]\n');
    const [one, ...more] = await pipes.next();
    expect([one.id, one.error.code, more.length]).to.deep.equal([7, -32600, 0]);
    pipes.raw('{"jsonrpc":"2.0","id":{},"result":7}\n{"jsonrpc":"2.0","id":8,"method":"tools/call"}\n');
    expect(await errorOf()).to.deep.equal([8, -32602]);
    pipes.raw(`${JSON.stringify({ ...INITIALIZE, id: 9, params: {} })}\n`);
    expect(await errorOf()).to.deep.equal([9, -32602]);
    // JSON-RPC does not know this member: left out.
    pipes.send({ ...INITIALIZE, id: 10, more: true });
    expect((await pipes.next()).id).to.equal(10);
    // In pieces, with a sign cut in two.
    const line = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id: 'ü', method: 'ping' })}\r\n`);
    const middle = line.indexOf(0xc3) + 1;
    pipes.raw(line.subarray(0, middle));
    pipes.raw(line.subarray(middle));
    expect((await pipes.next()).id).to.equal('ü');
  });

  it('names the published versions to who opens with another, and serves one of those then', async () => {
    pipes.send(modern('server/discover', {}, 'd', { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }));
    const { id, error } = await pipes.next();
    expect([id, error.code]).to.deep.equal(['d', -32022]);
    expect(error.data.supported).to.include.members(['2026-07-28', '2025-11-25', '2024-11-05']);
    pipes.send(INITIALIZE);
    expect((await pipes.next()).result.protocolVersion).to.equal('2025-11-25');
  });

  it('drops a notification that is not as the protocol has it, without a word', async () => {
    pipes.send(INITIALIZE);
    await pipes.next();
    for (const requestId of [{ a: 1 }, [1], true])
      pipes.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    pipes.send({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 'x' } });
    pipes.send({ jsonrpc: '2.0', id: 'last', method: 'ping' });
    expect((await pipes.next()).id).to.equal('last');
  });

  it('goes on after any line, and gives the id back where it can be read', async () => {
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const why = (id: string, value: string) =>
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"why","arguments":{"id":${value}}}}`;
    const long = `"${'x'.repeat(11 * 1024 * 1024)}"`;
    const numbers = `[${'1e20,'.repeat(2_000_000)}1]`;
    const lines: [string | Buffer, unknown, number][] = [
      [why('1', deep(5_000)), 1, -32602],
      [why('2', deep(100_000)), 2, -32602],
      [why('3', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`), 3, -32602],
      [`{"jsonrpc":"2.0","id":${deep(100_000)},"method":"ping"}`, null, -32600],
      [deep(100_000), null, -32600],
      [why('"first"', long), 'first', -32600],
      [`{"method":"ping","params":{"id":7,"a":${long}},"jsonrpc":"2.0","id" : 12 }`, 12, -32600],
      [`{"id":[1],"params":${long}}`, null, -32600],
      [`[{"id":1,"params":${long}}]`, null, -32600],
      [long, null, -32600],
      [why('4', numbers), 4, -32600],
      [`[${'1,'.repeat(1000)}1]`, null, -32600],
      [Buffer.from([0x7b, 0xc3, 0x28, 0x7d]), null, -32700],
      [Buffer.from('{"jsonrpc":"2.0","id":5,\0"method":"ping"}'), null, -32700],
      ['null', null, -32600],
      ['"text"', null, -32600],
      ['7', null, -32600],
      ['{"__proto__":{"jsonrpc":"2.0","id":1,"method":"ping"}}', null, -32600],
      ...['null', 'true', '1.5', '1e400', '{}', '[]'].map((id): [string, null, number] => [
        `{"jsonrpc":"2.0","id":${id},"method":"ping"}`,
        null,
        -32600,
      ]),
    ];
    for (const [line, id, code] of lines) {
      pipes.raw(line);
      pipes.raw('\n');
      const answer = await pipes.next();
      const one = Array.isArray(answer) ? answer[0] : answer;
      expect([one.id, one.error?.code], line.toString('utf8').slice(0, 80)).to.deep.equal([id, code]);
    }
    pipes.send(INITIALIZE);
    expect((await pipes.next()).id).to.equal('i');
    const told = async (line: string, id: unknown) => {
      pipes.raw(`${line}\r\n`);
      const { result } = await pipes.answerTo(id);
      return [result.isError, result.content[0].text];
    };
    expect((await told(why('"lone"', '"\\ud800"'), 'lone'))[1]).to.include('not found');
    expect((await told(why('6', '"a","id":"twice"'), 6))[1]).to.include('"twice"');
    expect(await told(why('7', '1e400'), 7)).to.have.property('0', true);
    const limit = why('8', '"x"').replace('why', 'list_canaries').replace('"id":"x"', '"limit":1e400');
    expect((await told(limit, 8))[1]).to.match(/^USAGE: .*limit/);
    expect((await told(why('9', '"x","__proto__":{"a":1}'), 9))[1]).to.include('"x" not found');
    expect(({} as { a?: number }).a).to.equal(undefined);
  });

  it('answers a last line without an end', async () => {
    pipes.raw(JSON.stringify(INITIALIZE));
    pipes.stdin.end();
    expect((await pipes.next()).id).to.equal('i');
    await connection.finished;
  });

  it('answers 50 calls that wait at the same time without a warning of the runtime', async () => {
    const { canaryId } = await service.startCanary({ ...CANARY, dryRun: false }, ASKER);
    pipes.send(INITIALIZE);
    await pipes.next();
    const ids = Array.from({ length: 50 }, (_, i) => i);
    const warnings = await warningsOf(async () => {
      // Long enough for all of them to be ready before the client reads one.
      pipes.stdout.pause();
      setTimeout(() => pipes.stdout.resume(), 600);
      pipes.send(...ids.map((id) => callOf('canary_status', { canaryId, waitSeconds: 0.2 }, id)));
      const answered: number[] = [];
      while (answered.length < ids.length) {
        const { id } = await pipes.next();
        if (typeof id === 'number') answered.push(id);
      }
      expect(answered.sort((a, b) => a - b)).to.deep.equal(ids);
    });
    expect(warnings).to.deep.equal([]);
  });

  it('ends when the client closes its end', async () => {
    pipes.stdin.end();
    await connection.finished;
  });
});

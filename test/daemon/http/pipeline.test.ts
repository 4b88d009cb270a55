import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Route } from '../../../src/daemon/http/route.js';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../../../src/daemon/http/server.js';
import { until } from '../../until.js';
import { exchange } from './raw.js';

describe('many requests at once', () => {
  let server: HttpServer | null = null;
  let begun: string[] = [];
  let aborted = 0;
  let closed = 0;
  let free: (() => void)[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const go of free) go();
    await server?.close(0);
    server = null;
    [begun, free, aborted, closed] = [[], [], 0, 0];
  });

  /** Answers at once, with what it was asked. */
  const echo: Route = {
    methods: ['GET', 'POST'],
    path: '/echo',
    async handle(request, response, context) {
      const { url } = context;
      begun.push(url.search);
      const text = request.method === 'POST' ? (await context.body()).toString() : '';
      response.end(`<${url.search}${text}>`);
    },
  };
  /** Answers when it is told to. */
  const wait: Route = {
    methods: ['GET', 'POST'],
    path: '/wait',
    async handle(request, response, context) {
      begun.push(context.url.search);
      context.signal.addEventListener('abort', () => void aborted++);
      if (request.method === 'POST') await context.body();
      await new Promise<void>((resolve) => free.push(resolve));
      response.end('done');
    },
  };
  const large: Route = {
    methods: ['GET'],
    path: '/large',
    handle(request, response, { url }) {
      begun.push(url.search);
      request.socket.once('close', () => void closed++);
      response.end(Buffer.alloc(8 * 1024 * 1024));
    },
  };
  const probe: Route = {
    methods: ['GET'],
    path: '/probe',
    open: true,
    probe: true,
    handle: (_, response) => void response.end('up'),
  };

  async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
    server = await startHttpServer({
      routes: [echo, wait, large, probe],
      host: '127.0.0.1',
      port: 0,
      onError: (error) => {
        throw error;
      },
      ...options,
    });
    return server;
  }

  const get = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  const post = (target: string, body: string) =>
    `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const chunked = (target: string, body: string) =>
    `POST ${target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const last = (target: string) => get(target, 'Connection: close\r\n');

  function open(port: number, text: string): Promise<Socket> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text, () => resolve(socket)));
      socket.on('error', () => undefined);
      sockets.push(socket);
    });
  }

  const statusOf = async (port: number, target: string) => (await exchange(port, last(target))).status;

  it('are all answered, in their order, with and without bodies, however they are cut', async () => {
    const { port } = await start();
    const ends = '\r\n\r\n'.repeat(2000);
    const requests = Array.from({ length: 500 }, (_, i) => {
      if (i % 5 === 1) return post(`/echo?${i}`, `body ${i}${ends.slice(0, i)}`);
      if (i % 5 === 2) return chunked(`/echo?${i}`, `body ${i}`);
      return i % 5 === 3 ? post(`/echo?${i}`, ends) : get(`/echo?${i}`);
    });
    const text = requests.join('') + last('/echo?end');
    const whole = await exchange(port, text);
    const order = [...whole.text.matchAll(/<\?(\d+|end)/g)].map(([, id]) => id);
    expect(order).to.deep.equal([...requests.keys(), 'end'].map(String));
    const cut = await exchange(port, text.slice(0, 777), (socket) => {
      socket.setNoDelay(true);
      for (let at = 777; at < text.length; at += 9973) socket.write(text.slice(at, at + 9973));
    });
    expect([...cut.text.matchAll(/<\?(\d+|end)/g)].map(([, id]) => id)).to.deep.equal(order);
  });

  it('are all answered when the client has closed its sending side behind them', async () => {
    const { port } = await start();
    const text = Array.from({ length: 50 }, (_, i) => get(`/echo?${i}`)).join('');
    const { text: answer } = await exchange(port, text, (socket) => socket.end());
    expect(answer.match(/<\?\d+>/g)).to.have.length(50);
  });

  it('on one connection are begun one after the other', async () => {
    const { port } = await start();
    await open(port, Array.from({ length: 20 }, (_, i) => get(`/wait?${i}`)).join(''));
    await until(() => free.length === 1);
    expect(await statusOf(port, '/probe')).to.equal(200);
    expect(begun).to.deep.equal(['?0']);
    free.shift()?.();
    await until(() => begun.length === 2);
    expect(begun).to.deep.equal(['?0', '?1']);
  });

  it('of a client that has left are not begun', async () => {
    const { port } = await start();
    const gone = await open(port, Array.from({ length: 200 }, (_, i) => get(`/wait?${i}`)).join(''));
    await until(() => free.length === 1);
    gone.resetAndDestroy();
    await until(() => aborted === 1);
    free.shift()?.();
    // Several turns later, still none of them.
    for (let i = 0; i < 5; i++) expect(await statusOf(port, '/echo?other')).to.equal(200);
    expect(begun.filter((id) => id !== '?other')).to.deep.equal(['?0']);
  });

  it('are not begun while their client does not read, which is disconnected after a while', async () => {
    const { port } = await start({ timeouts: { headersMs: 2000, requestMs: 5000, checkMs: 50, stalledMs: 300 } });
    const socket = await open(port, Array.from({ length: 50 }, (_, i) => get(`/large?${i}`)).join(''));
    socket.pause();
    await until(() => begun.length > 0);
    expect(await statusOf(port, '/probe')).to.equal(200);
    await until(() => closed > 0);
    expect(begun.length).to.be.below(5);
  });

  it('do not hold back those of others', async () => {
    const { port } = await start();
    const burst = Array.from({ length: 1000 }, () => get('/echo?burst')).join('');
    await Promise.all(Array.from({ length: 20 }, () => open(port, burst)));
    await until(() => begun.length > 0);
    const before = begun.length;
    expect(await statusOf(port, '/echo?other')).to.equal(200);
    expect(begun.indexOf('?other') - before).to.be.below(2000);
    expect(begun.length).to.be.below(20_000);
  });

  it('in progress are limited for a client and in all, but for probes', async () => {
    const keys = ['a-key-of-some-length', 'another-key-of-length', 'a-third-key-of-length'] as const;
    const { port } = await start({ apiKeys: keys, load: { client: 3, all: 5 } });
    const key = (n: 0 | 1 | 2) => `X-API-Key: ${keys[n]}\r\n`;
    for (const [n, id] of [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 4],
      [1, 5],
    ] as const)
      await open(port, get(`/wait?${id}`, key(n)));
    await until(() => free.length === 5);
    const refused = async (n: 0 | 1 | 2) => exchange(port, get('/echo', `${key(n)}Connection: close\r\n`));
    const own = await refused(0);
    expect(own.status).to.equal(429);
    expect(own.text)
      .to.match(/Retry-After: 1\r\n/)
      .and.to.contain('the limit for a client is 3');
    const all = await refused(2);
    expect(all.status).to.equal(503);
    expect(all.text)
      .to.match(/Retry-After: 1\r\n/)
      .and.to.contain('"code":"SERVICE_UNAVAILABLE"');
    expect(await statusOf(port, '/probe')).to.equal(200);
    for (const go of free) go();
    await until(async () => (await refused(0)).status === 200 && (await refused(2)).status === 200);
  });

  it('with large bodies are limited by the memory these take, until they are answered', async () => {
    const { port } = await start({ load: { bodyBytes: 300_000 } });
    const body = 'x'.repeat(200_000);
    await open(port, post('/wait?1', body));
    await until(() => free.length === 1);
    const refused = await exchange(port, post('/echo', body).replace('\r\n', '\r\nConnection: close\r\n'));
    expect(refused.status).to.equal(503);
    expect(refused.text).to.contain('too many large requests');
    const small = await exchange(port, post('/echo?small', 'x').replace('\r\n', '\r\nConnection: close\r\n'));
    expect(small.status).to.equal(200);
    free[0]?.();
    await until(async () => {
      const again = await exchange(port, post('/echo', body).replace('\r\n', '\r\nConnection: close\r\n'));
      return again.status === 200;
    });
  });
});

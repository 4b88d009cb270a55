import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { RateLimiter } from '../../../src/daemon/http/rate-limit.js';
import { HttpError, type Route } from '../../../src/daemon/http/route.js';
import {
  type Answered,
  type HttpServer,
  type HttpServerOptions,
  startHttpServer,
} from '../../../src/daemon/http/server.js';
import { ERRORS, type ErrorCode, LukhasError } from '../../../src/lib/errors.js';
import { exchange } from './raw.js';

const KEY = 'a-key-of-some-length';
const OTHER = 'another-key-of-length';

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

describe('the HTTP server', () => {
  let server: HttpServer | null = null;
  let errors: unknown[] = [];
  let answered: Answered[] = [];

  afterEach(async () => {
    await server?.close(0);
    server = null;
    errors = [];
    answered = [];
  });

  const echo: Route = {
    methods: ['GET', 'POST'],
    path: '/echo',
    async handle(request, response, context) {
      const body = request.method === 'POST' ? (await context.body()).toString() : '';
      response.end(JSON.stringify({ actor: context.actor, query: context.url.search, body }));
    },
  };
  const probe: Route = {
    methods: ['GET'],
    path: '/probe',
    open: true,
    handle: (_, response) => void response.end('up'),
  };

  async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
    server = await startHttpServer({
      routes: [echo, probe],
      host: '127.0.0.1',
      port: 0,
      onError: (error) => errors.push(error),
      onAnswered: (answer) => answered.push(answer),
      ...options,
    });
    return server;
  }

  function ask(
    { port }: HttpServer,
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method = 'GET', headers = {}, body } = options;
      const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      });
      outgoing.on('error', reject).end(body);
    });
  }

  const message = (answer: Answer) => (JSON.parse(answer.body) as { error: { message: string } }).error.message;

  it('gives a request to its route, with who asks, on headers that keep it out of caches and indexes', async () => {
    const answer = await ask(await start(), '/echo?a=1', { method: 'POST', body: 'hello' });
    expect(answer.status).to.equal(200);
    expect(JSON.parse(answer.body)).to.deep.equal({
      actor: { who: '127.0.0.1', how: 'loopback' },
      query: '?a=1',
      body: 'hello',
    });
    expect(answer.headers).to.include({
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex, nofollow',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });

  it('answers HEAD where GET is, without a body', async () => {
    const answer = await ask(await start(), '/echo', { method: 'HEAD' });
    expect([answer.status, answer.body]).to.deep.equal([200, '']);
  });

  it('names its routes where there is none, and the methods where another was used', async () => {
    const running = await start();
    const missing = await ask(running, '/nothing');
    expect(missing.status).to.equal(404);
    expect(message(missing)).to.contain('/nothing').and.to.contain('GET|HEAD|POST /echo').and.to.contain('/probe');
    const wrong = await ask(running, '/probe', { method: 'DELETE' });
    expect([wrong.status, wrong.headers['allow']]).to.deep.equal([405, 'GET, HEAD']);
    expect((await ask(running, '//echo')).status).to.equal(404);
    expect(answered.map(({ route, status }) => [route, status])).to.deep.equal([
      [null, 404],
      [null, 405],
      [null, 404],
    ]);
  });

  it('limits requests of a client where a route is limited, one key apart from the other, and no other route', async () => {
    let now = 0;
    const several: Route = {
      ...echo,
      path: '/several',
      limited: true,
      handle: (_, response, { charge }) => {
        charge(2);
        response.end();
      },
    };
    const running = await start({
      routes: [echo, probe, { ...echo, path: '/limited', limited: true }, several],
      apiKeys: [KEY, OTHER],
      limiter: new RateLimiter({ bucket: 3, windowMs: 6000 }, { now: () => now }),
    });
    const as = (key: string) => ({ headers: { 'x-api-key': key } });
    expect((await ask(running, '/limited', as(KEY))).status).to.equal(200);
    expect((await ask(running, '/several', as(KEY))).status).to.equal(200);
    const refused = await ask(running, '/limited', as(KEY));
    expect([refused.status, refused.headers['retry-after']]).to.deep.equal([429, '4']);
    expect(JSON.parse(refused.body)).to.deep.equal({
      error: {
        code: 'TOO_MANY_REQUESTS',
        message: 'too many requests: the limit is 3 in 6000 ms; try again in 4 s',
      },
    });
    expect(answered.at(-1)).to.deep.equal({ route: '/limited', method: 'GET', status: 429 });
    expect((await ask(running, '/limited', as(OTHER))).status).to.equal(200);
    for (let n = 0; n < 5; n++) expect((await ask(running, '/echo', as(KEY))).status).to.equal(200);
    expect((await ask(running, '/limited', as('a-wrong-key-of-length'))).status).to.equal(401);
    now += 4000;
    expect((await ask(running, '/limited', as(KEY))).status).to.equal(200);
    expect(errors).to.deep.equal([]);
  });

  describe('with a Host', () => {
    const of = async (host: string, running: HttpServer) => (await ask(running, '/echo', { headers: { host } })).status;

    it('of its own answers, of any other does not', async () => {
      const running = await start({ allowedHosts: ['Ops.example.com', 'one-port.example.com:8443'] });
      const own = [
        '127.0.0.1',
        `127.0.0.1:${running.port}`,
        'localhost:9999',
        'LOCALHOST',
        'localhost.',
        '[::1]:80',
        'ops.example.com',
        'ops.example.com:444',
        'one-port.example.com:8443',
      ];
      for (const host of own) expect(await of(host, running), host).to.equal(200);
      const foreign = [
        'evil.example',
        'localhost.evil.example',
        '10.0.0.1',
        '127.0.0.2',
        'one-port.example.com',
        '[::2]',
      ];
      for (const host of foreign) expect(await of(host, running), host).to.equal(421);
      for (const host of ['a b', 'user@localhost', 'localhost/x', 'localhost:port', 'lo,calhost'])
        expect(await of(host, running), host).to.equal(400);
    });

    it('that is foreign is refused on every route, open ones too', async () => {
      const running = await start();
      for (const path of ['/echo', '/probe', '/nothing'])
        expect((await ask(running, path, { headers: { host: 'evil.example' } })).status, path).to.equal(421);
    });

    it('missing or given twice is a bad request', async () => {
      const { port } = await start();
      const twice = 'GET /echo HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      const none = 'GET /echo HTTP/1.1\r\nConnection: close\r\n\r\n';
      const empty = 'GET /echo HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n';
      for (const send of [twice, none, empty, 'GET /echo HTTP/1.0\r\n\r\n'])
        expect((await exchange(port, send)).status, send).to.equal(400);
    });

    it('gives way to a whole URL as the target', async () => {
      const { port } = await start();
      const via = async (target: string) =>
        (await exchange(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)).status;
      expect(await via('http://localhost/echo')).to.equal(200);
      expect(await via('http://evil.example/echo')).to.equal(421);
      expect(await via('http://[/echo')).to.equal(400);
      expect(await via('*')).to.equal(400);
      expect(await via('ftp://localhost/echo')).to.equal(400);
    });
  });

  describe('with an Origin', () => {
    it('of its own pages answers, of others and of none does not', async () => {
      const running = await start();
      const of = async (origin: string, host = `127.0.0.1:${running.port}`) =>
        (await ask(running, '/echo', { headers: { origin, host } })).status;
      expect(await of(`http://127.0.0.1:${running.port}`)).to.equal(200);
      expect(await of('https://localhost', 'localhost')).to.equal(200);
      const foreign = [
        'http://evil.example',
        'null',
        `http://localhost:${running.port}`,
        'http://127.0.0.1',
        'file://',
        `http://127.0.0.1:${running.port}, http://evil.example`,
        `http://127.0.0.1:${running.port}/`,
      ];
      for (const origin of foreign) expect(await of(origin), origin).to.equal(403);
    });

    it('that is allowed may read the answer, and is told so before it asks', async () => {
      const origin = 'https://ops.example.com';
      const running = await start({ allowedOrigins: [origin], apiKeys: [KEY] });
      const asked = await ask(running, '/echo', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect(asked.status).to.equal(204);
      expect(asked.headers['access-control-allow-origin']).to.equal(origin);
      expect(asked.headers['access-control-allow-headers']).to.contain('Authorization');
      const answer = await ask(running, '/echo', { headers: { origin, 'x-api-key': KEY } });
      expect([answer.status, answer.headers['access-control-allow-origin']]).to.deep.equal([200, origin]);
      const other = await ask(running, '/echo', {
        method: 'OPTIONS',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      });
      expect([other.status, other.headers['access-control-allow-origin']]).to.deep.equal([403, undefined]);
    });
  });

  describe('asked by a page of another site, without an Origin', () => {
    const asked = (headers: Record<string, string>, path = '/echo', method = 'GET') =>
      ask(server as HttpServer, path, { method, headers });

    it('refuses, however the page makes the browser ask', async () => {
      await start();
      for (const site of ['cross-site', 'same-site', 'same-origin, cross-site', 'anything'])
        for (const [mode, dest] of [
          ['no-cors', 'image'],
          ['no-cors', 'script'],
          ['no-cors', 'empty'],
          ['navigate', 'document'],
          ['navigate', 'iframe'],
        ])
          for (const method of ['GET', 'HEAD', 'POST']) {
            const headers = {
              'sec-fetch-site': site,
              'sec-fetch-mode': mode as string,
              'sec-fetch-dest': dest as string,
            };
            expect((await asked(headers, '/echo', method)).status, JSON.stringify([headers, method])).to.equal(403);
            expect((await asked(headers, '/echo/', method)).status).to.equal(403);
          }
    });

    it('accepts its own pages, what a user types, and programs', async () => {
      const { port } = await start();
      for (const headers of [
        { 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
        { 'sec-fetch-site': 'same-origin', referer: `http://127.0.0.1:${port}/page` },
        { referer: `http://127.0.0.1:${port}/page` },
        { referer: 'about:client' },
        {},
      ] as Record<string, string>[])
        expect((await asked(headers)).status, JSON.stringify(headers)).to.equal(
          headers['referer'] === 'about:client' ? 403 : 200,
        );
    });

    it('knows it by its Referer in a browser that says no more, and accepts an allowed one', async () => {
      await start({ allowedOrigins: ['https://ops.example.com'] });
      expect((await asked({ referer: 'http://evil.example/page' })).status).to.equal(403);
      expect((await asked({ referer: 'https://ops.example.com/page' })).status).to.equal(200);
      const fetched = { 'sec-fetch-site': 'cross-site', referer: 'https://ops.example.com/page' };
      expect((await asked(fetched)).status).to.equal(200);
      const forged = { 'sec-fetch-site': 'cross-site', referer: 'https://ops.example.com.evil.example/' };
      expect((await asked(forged)).status).to.equal(403);
      const withOrigin = { 'sec-fetch-site': 'cross-site', origin: 'https://ops.example.com' };
      expect((await asked(withOrigin)).status).to.equal(200);
    });

    it('lets a link lead to a page, but no image, frame or script load it', async () => {
      const page: Route = { ...probe, path: '/page.html', page: true };
      const anywhere: Route = { ...probe, path: '/up', anySite: true };
      await start({ routes: [echo, page, anywhere] });
      const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      expect((await asked(link, '/page.html')).status).to.equal(200);
      expect((await asked(link, '/nothing')).status).to.equal(403);
      for (const dest of ['iframe', 'image', 'script', 'empty'])
        expect((await asked({ ...link, 'sec-fetch-dest': dest }, '/page.html')).status, dest).to.equal(403);
      expect((await asked({ ...link, 'sec-fetch-dest': 'image' }, '/up')).status).to.equal(200);
    });
  });

  describe('with keys', () => {
    it('lets in who has one, by either header, and records which', async () => {
      const running = await start({ apiKeys: [KEY, OTHER] });
      const actor = async (headers: Record<string, string>) =>
        (JSON.parse((await ask(running, '/echo', { headers })).body) as { actor: { who: string; how: string } }).actor;
      const first = await actor({ authorization: `Bearer ${KEY}` });
      expect(first.how).to.equal('api-key');
      expect(first.who).to.match(/^key:[0-9a-f]{8}$/);
      expect(await actor({ 'x-api-key': KEY })).to.deep.equal(first);
      expect((await actor({ authorization: `bearer ${OTHER}` })).who).to.not.equal(first.who);
    });

    it('refuses everybody else on every route but open ones', async () => {
      const running = await start({ apiKeys: [KEY] });
      const none = await ask(running, '/echo');
      expect([none.status, none.headers['www-authenticate']]).to.deep.equal([401, 'Bearer realm="lukhas"']);
      for (const headers of [
        { authorization: `Bearer ${KEY}x` },
        { authorization: `Bearer ${KEY.slice(0, -1)}` },
        { authorization: `Basic ${KEY}` },
        { authorization: 'Bearer' },
        { 'x-api-key': OTHER },
      ] as Record<string, string>[])
        expect((await ask(running, '/echo', { headers })).status, JSON.stringify(headers)).to.equal(401);
      expect((await ask(running, '/nothing')).status).to.equal(401);
      expect((await ask(running, '/probe')).status).to.equal(200);
    });

    it('refuses a key in the address, which is what gets logged, and says nothing of it', async () => {
      const running = await start({ apiKeys: [KEY] });
      for (const name of ['key', 'api_key', 'apiKey', 'token', 'access_token', 'X-API-Key']) {
        const answer = await ask(running, `/echo?topic=jobs&${name}=${KEY}`, { headers: { 'x-api-key': KEY } });
        expect(answer.status, name).to.equal(400);
        expect(message(answer)).to.contain('Authorization').and.not.to.contain(KEY);
      }
    });

    it('does not start with one that is easily guessed, or that no header can carry, and does not print it', async () => {
      for (const [bad, why] of [
        ['short', 'has 5 characters'],
        ['spaces are not for headers', 'not allowed in a header'],
        ['ключ-из-шестнадцати-букв', 'not allowed in a header'],
      ] as const) {
        const error = await start({ apiKeys: [KEY, bad] }).catch((e: unknown) => e as LukhasError);
        expect(error).to.be.instanceOf(LukhasError);
        expect((error as LukhasError).message)
          .to.contain('key 2')
          .and.to.contain(why)
          .and.not.to.contain(bad);
      }
    });
  });

  describe('on an address', () => {
    const refusal = async (options: Partial<HttpServerOptions>) => {
      const error = await start(options).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(LukhasError);
      return error as LukhasError;
    };

    it('that others reach does not listen without keys', async () => {
      for (const host of ['0.0.0.0', '::'])
        expect(await refusal({ host }))
          .to.include({ code: 'CONFIG' })
          .and.to.have.property('message')
          .that.contains(host);
      const running = await start({ host: '0.0.0.0', apiKeys: [KEY] });
      expect((await ask(running, '/echo')).status).to.equal(401);
    });

    it('that is taken says so in one line', async () => {
      const { port } = await start();
      const error = await refusal({ port });
      expect(error.code).to.equal('LISTEN');
      expect(error.exit).to.equal(2);
      expect(error.message).to.equal(
        `cannot listen on 127.0.0.1:${port}: the port is in use, maybe by another lukhas serve`,
      );
    });

    it('that is not here says so', async () => {
      expect((await refusal({ host: '192.0.2.1', apiKeys: [KEY] })).message).to.contain('does not have the address');
    });
  });

  describe('given a body', () => {
    it('longer than allowed answers 413 while it is still sent, and then closes', async () => {
      const { port } = await start({ bodyLimit: 1000 });
      const head = 'POST /echo HTTP/1.1\r\nHost: localhost\r\n';
      const declared = await exchange(port, `${head}Content-Length: 5000000\r\n\r\n`, (socket) => {
        socket.write('x'.repeat(5_000_000));
      });
      expect(declared).to.include({ status: 413, reset: false });
      expect(declared.text)
        .to.contain('1000 bytes')
        .and.to.match(/Connection: close/i);
      const chunk = `${(3000).toString(16)}\r\n${'x'.repeat(3000)}\r\n`;
      const chunked = await exchange(port, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(50)}0\r\n\r\n`);
      expect(chunked).to.include({ status: 413, reset: false });
      expect(errors).to.deep.equal([]);
    });

    it('of exactly the allowed length takes it', async () => {
      const answer = await ask(await start({ bodyLimit: 1000 }), '/echo', { method: 'POST', body: 'x'.repeat(1000) });
      expect((JSON.parse(answer.body) as { body: string }).body).to.have.length(1000);
    });

    it('that is only announced asks for it, or refuses before it is sent', async () => {
      const { port } = await start({ bodyLimit: 1000 });
      const head = (length: number) =>
        `POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
      const taken = await exchange(port, head(2), (socket) => {
        socket.once('data', () => socket.write('ab'));
      });
      expect(taken.text).to.match(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
      const refused = await exchange(port, head(2000), (socket) => {
        socket.once('data', () => socket.end());
      });
      expect(refused.status).to.equal(413);
    });

    it('that its sender leaves half-way blames nobody', async () => {
      const { port } = await start();
      const left = exchange(
        port,
        'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf',
        (socket) => {
          setTimeout(() => socket.destroy(), 50);
        },
      );
      await left;
      await wait(50);
      expect(errors).to.deep.equal([]);
      expect(answered).to.deep.equal([]);
    });
  });

  describe('given time', () => {
    const timeouts = { headersMs: 200, requestMs: 400, checkMs: 50 };

    it('closes on who sends headers or a body drop by drop, or nothing at all', async () => {
      const { port } = await start({ timeouts });
      const drip = (text: string) => (socket: ReturnType<typeof connect>) => {
        const timer = setInterval(() => socket.write(text), 20);
        socket.once('close', () => clearInterval(timer));
      };
      const [headers, body, silent] = await Promise.all([
        exchange(port, 'GET /echo HTTP/1.1\r\nHost: localhost\r\n', drip('X-A: b\r\n')),
        exchange(port, 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n', drip('x')),
        exchange(port, ''),
      ]);
      // The limits of Node.js itself are 60 s and more.
      for (const { seconds } of [headers, body, silent]) expect(seconds).to.be.below(30);
      expect(errors).to.deep.equal([]);
    });

    it('does not end an answer that is long', async () => {
      const running = await start({
        timeouts,
        routes: [
          {
            methods: ['GET'],
            path: '/stream',
            async handle(_, response) {
              for (let n = 0; n < 6; n++) {
                response.write(`data: ${n}\n\n`);
                await wait(200);
              }
              response.end();
            },
          },
        ],
      });
      expect((await ask(running, '/stream')).body.match(/data/g)).to.have.length(6);
    });

    it('holds no more connections than it may', async () => {
      const { port } = await start({ maxConnections: 2 });
      const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
      await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
      const third = await exchange(port, 'GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect(third.text).to.equal('');
      for (const socket of held) socket.destroy();
    });
  });

  describe('a handler', () => {
    const throwing = (error: unknown, begun = false): Route => ({
      methods: ['GET'],
      path: '/fails',
      handle(_, response) {
        if (begun) response.write('half');
        throw error;
      },
    });

    it('that throws says to the client what is meant for it, and the rest to the operator', async () => {
      const said = async (error: unknown) => {
        const answer = await ask(await start({ routes: [throwing(error)] }), '/fails');
        await server?.close(0);
        return [answer.status, message(answer), errors.splice(0)];
      };
      expect(await said(new HttpError(418, 'no coffee'))).to.deep.equal([418, 'no coffee', []]);
      expect(await said(new LukhasError('USAGE', 'from: not a time'))).to.deep.equal([400, 'from: not a time', []]);
      for (const [code, { status }] of Object.entries(ERRORS)) {
        const error = new LukhasError(code as ErrorCode, 'what and where');
        expect(await said(error)).to.deep.equal([status, 'what and where', status === 500 ? [error] : []]);
      }
      const bug = new Error('/secret/path');
      const [status, text, told] = await said(bug);
      expect([status, told]).to.deep.equal([500, [bug]]);
      expect(text).to.contain('internal error').and.not.to.contain('secret');
    });

    it('that fails in the midst of its answer leaves it visibly cut off', async () => {
      const running = await start({ routes: [throwing(new Error('x'), true)] });
      const failed = await ask(running, '/fails').catch((error: NodeJS.ErrnoException) => error.code);
      expect(failed).to.equal('ECONNRESET');
    });

    it('hears when its client goes', async () => {
      let heard: () => void = () => undefined;
      const aborted = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const running = await start({
        routes: [
          {
            methods: ['GET'],
            path: '/waits',
            handle(_request, response, { signal }) {
              response.write('go');
              signal.addEventListener('abort', () => heard());
            },
          },
        ],
      });
      const socket = connect(running.port, '127.0.0.1');
      socket.write('GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.once('data', () => socket.destroy());
      await aborted;
    });
  });

  describe('when it stops', () => {
    const slow = (ms: number): Route => ({
      methods: ['GET'],
      path: '/slow',
      async handle(_, response) {
        await wait(ms);
        response.end('done');
      },
    });

    it('lets a request under way end, and takes no other', async () => {
      const running = await start({ routes: [slow(300)] });
      const asked = ask(running, '/slow');
      await wait(100);
      const closing = running.close(5_000);
      const refused = await ask(running, '/slow').catch((error: NodeJS.ErrnoException) => error.code);
      expect(refused).to.equal('ECONNREFUSED');
      expect((await asked).body).to.equal('done');
      await closing;
    });

    it('does not wait for connections that are kept for later', async () => {
      const running = await start();
      const socket = connect(running.port, '127.0.0.1');
      socket.write('GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
      // It may take an hour, and would if it waited.
      await running.close(3_600_000);
    });

    it('ends what takes longer than it may, telling the handler first', async () => {
      let told = false;
      const running = await start({
        routes: [
          {
            methods: ['GET'],
            path: '/for-ever',
            handle(_request, response, { signal }) {
              signal.addEventListener('abort', () => {
                told = true;
                response.end('stopped');
              });
            },
          },
          slow(60_000),
        ],
      });
      const polite = ask(running, '/for-ever');
      const deaf = ask(running, '/slow').catch((error: NodeJS.ErrnoException) => error.code);
      await wait(100);
      await running.close(100);
      expect((await polite).body).to.equal('stopped');
      expect(told).to.equal(true);
      expect(await deaf).to.equal('ECONNRESET');
    });
  });

  it('survives whatever is sent to it, and goes on answering', async () => {
    const running = await start({ timeouts: { headersMs: 100, requestMs: 150, checkMs: 20 } });
    const piece = fc.oneof(
      fc.constantFrom(
        'GET ',
        '/echo',
        ' HTTP/1.1\r\n',
        'Host: localhost\r\n',
        '\r\n',
        'Host:',
        'Origin: null\r\n',
        ': ',
      ),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const raw = await exchange(running.port, pieces.join(''), (socket) => void socket.end());
        expect([0, 200, 400, 403, 404, 405, 408, 421, 431]).to.include(raw.status);
      }),
      { numRuns: 300 },
    );
    expect(errors).to.deep.equal([]);
    expect((await ask(running, '/probe')).body).to.equal('up');
  });
});

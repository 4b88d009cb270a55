import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type GetOptions, getBytes, getText } from '../../../src/lib/metrics/http.js';

/** Of no use but for localhost in these tests. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4PVwnyXaYnV8DTA1
kTIXoJuaowOL9H7g9V5Z+b2skYKhRANCAARPPIPaj8jHC6lAWs80eunLS/ZN9Nno
RUPEE+y4XyGrNN0TZut/0Beumeu6jKKd7sQSkfim5AJkycfGI7B01Xe4
-----END PRIVATE KEY-----`;
const CERT = `-----BEGIN CERTIFICATE-----
MIIBRjCB7qADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETzyD2o/IxwupQFrP
NHrpy0v2TfTZ6EVDxBPsuF8hqzTdE2brf9AXrpnruoyine7EEpH4puQCZMnHxiOw
dNV3uKMvMC0wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgLxzLLMcfxbX92+8HtLlgr+3iT8sj+uGv
rOg4n9OUg/ECIH3BHcPqYuNffyLNL8nTxz4I6hV5y8uAkdEDI/kvvuhG
-----END CERTIFICATE-----`;

describe('getText', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  async function listen(server: Server): Promise<number> {
    servers.push(server);
    for (const event of ['connection', 'secureConnection']) server.on(event, (socket: Socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }
  const serve = async (handler: RequestListener) => `http://127.0.0.1:${await listen(createServer(handler))}`;
  const get = (url: string, options: Partial<GetOptions> = {}) => getText(url, { timeoutMs: 1000, ...options });

  /** The failure, which must not show a secret. */
  async function failure(url: string, options: Partial<GetOptions> = {}) {
    const answer = await get(url, options);
    if (answer.ok) throw new Error(`was accepted: ${answer.body.slice(0, 80)}`);
    expect(JSON.stringify(answer)).not.to.contain('secret');
    return answer;
  }

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
    sockets.clear();
  });

  it('gives body, content type and status, gzip or not', async () => {
    const date = 1_790_000_000_000;
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers['x-one'], request.headers['accept-encoding']);
      response.setHeader('content-type', 'text/plain; charset=utf-8').setHeader('date', new Date(date).toUTCString());
      if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip').end(gzipSync('größer'));
      else response.end('größer');
    });
    const expected = { ok: true, date, status: 200, contentType: 'text/plain; charset=utf-8', body: 'größer' };
    expect(await get(`${url}/plain`, { headers: { 'x-one': '1' } })).to.deep.equal(expected);
    expect(await get(`${url}/gzip`)).to.deep.equal(expected);
    expect(seen).to.deep.equal(['1', 'gzip', undefined, 'gzip']);
  });

  for (const [status, state, retryable] of [
    [401, 'refused', false],
    [403, 'refused', false],
    [404, 'invalid', false],
    [429, 'invalid', true],
    [500, 'unreachable', true],
    [503, 'unreachable', true],
  ] as const) {
    it(`${status} is ${state}, and the body is there for those who can read it`, async () => {
      const url = await serve((_, response) => response.writeHead(status).end('why'));
      expect(await failure(`${url}/metrics?token=secret`)).to.deep.equal({
        ok: false,
        state,
        detail: `${url}/metrics answered ${status}`,
        status,
        retryable,
        body: 'why',
      });
    });
  }

  it('nobody listening is unreachable', async () => {
    const port = await listen(createServer());
    await new Promise((resolve) => servers.pop()!.close(resolve));
    expect(await failure(`http://127.0.0.1:${port}/m`)).to.deep.equal({
      ok: false,
      state: 'unreachable',
      detail: `http://127.0.0.1:${port}/m: connection refused (ECONNREFUSED)`,
      retryable: true,
    });
  });

  it('an answer that hangs, or trickles, ends at the timeout', async () => {
    const silent = await serve(() => undefined);
    const detail = `${silent}/: no complete answer within 0.1 s`;
    expect(await failure(silent, { timeoutMs: 100 })).to.include({ state: 'unreachable', retryable: true, detail });
    const trickle = await serve((request, response) => {
      const timer = setInterval(() => response.write('a'), 10);
      request.on('close', () => clearInterval(timer));
    });
    expect(await failure(trickle, { timeoutMs: 100 })).to.include({ state: 'unreachable' });
  });

  it('a connection cut within the body is unreachable, not a short body', async () => {
    const url = await serve((_, response) => {
      response.setHeader('content-length', 100).write('half', () => response.socket?.destroy());
    });
    expect(await failure(url)).to.include({ state: 'unreachable', retryable: true });
  });

  it('stops reading at the limit, whether announced, streamed or packed', async () => {
    let written = 0;
    const chunk = Buffer.alloc(256 * 1024, 'a');
    const url = await serve((request, response) => {
      if (request.url === '/announced') response.setHeader('content-length', 50e6).write('a');
      if (request.url === '/packed') response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(3e6)));
      if (request.url !== '/streamed') return;
      const more = () => {
        while (written < 50e6 && !response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) break;
        }
      };
      response.on('drain', more);
      more();
    });
    for (const path of ['/announced', '/streamed', '/packed']) {
      const answer = await failure(url + path, { maxBytes: 2 * 1024 * 1024 });
      expect(answer).to.include({ state: 'invalid', status: 200, retryable: false });
      expect(answer.detail).to.match(/larger than 2 MiB: expose fewer series/);
    }
    expect(written).to.be.below(40e6);
  });

  it('what is no text is invalid', async () => {
    const url = await serve((request, response) => {
      response.setHeader('content-type', 'application/octet-stream');
      if (request.url === '/gzip') response.setHeader('content-encoding', 'gzip');
      if (request.url === '/br') response.setHeader('content-encoding', 'br');
      response.end(Buffer.from([0xff, 0xfe, 0x00, 0x80]));
    });
    expect((await failure(`${url}/`)).detail).to.match(/not a text in UTF-8 \(application\/octet-stream\)$/);
    expect((await failure(`${url}/gzip`)).detail).to.match(/said to be gzip, and is not/);
    expect((await failure(`${url}/br`)).detail).to.match(/encoded as br/);
    expect((await failure(`${url}/br`)).state).to.equal('invalid');
  });

  it('takes codings by their names in any case', async () => {
    const url = await serve((request, response) => {
      const coding = decodeURIComponent(request.url!.slice(1));
      response.setHeader('content-encoding', coding).end(/gzip/i.test(coding) ? gzipSync('a 1') : 'a 1');
    });
    for (const coding of ['GZIP', 'x-gzip', 'X-GZip', 'identity, gzip', 'Identity', 'gzip ']) {
      expect(await get(`${url}/${encodeURIComponent(coding)}`), coding).to.include({ ok: true, body: 'a 1' });
    }
    expect((await failure(`${url}/deflate`)).detail).to.match(/encoded as deflate, asked for was gzip$/);
    expect((await failure(`${url}/${encodeURIComponent('gzip, br')}`)).detail).to.match(/encoded as gzip, br/);
  });

  it('gzip that ends early was cut off, wherever that is', async () => {
    const packed = gzipSync('model_requests_total 1000000\n'.repeat(50));
    const url = await serve((request, response) => {
      response.setHeader('content-encoding', 'gzip').end(packed.subarray(0, Number(request.url!.slice(1))));
    });
    for (let length = 1; length < packed.length; length += 7) {
      expect(await failure(`${url}/${length}`), `${length} of ${packed.length}`).to.include({
        state: 'unreachable',
        detail: `${url}/${length}: the answer was cut off: its gzip ends early`,
        retryable: true,
      });
    }
  });

  it('says whether an answer says where it ends', async () => {
    const packed = gzipSync('a 1\n');
    for (const [what, answer, delimited] of [
      ['HTTP/1.0 without a length', 'HTTP/1.0 200 OK\r\n\r\na 1\n', false],
      ['HTTP/1.1 that closes', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na 1\n', false],
      ['a length', 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\na 1\n', true],
      ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n', true],
      ['gzip', Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n'), packed]), true],
    ] as const) {
      const port = await listen(createTcpServer((socket) => socket.on('data', () => socket.end(answer))));
      const got = await getBytes(`http://127.0.0.1:${port}`, { timeoutMs: 1000 });
      expect(got, what).to.deep.include({ ok: true, bytes: Buffer.from('a 1\n'), delimited });
    }
  });

  it('takes no part of a page for the page', async () => {
    const url = await serve((_, response) => response.writeHead(206).end('a 1\n'));
    expect(await failure(url)).to.include({
      state: 'invalid',
      detail: `${url}/ answered 206, with a part of the page`,
    });
  });

  it('what speaks no HTTP is invalid', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    expect(await failure(`http://127.0.0.1:${port}`)).to.include({ state: 'invalid', retryable: false });
  });

  it('follows redirects within its origin, and takes no secret elsewhere', async () => {
    const seen: unknown[] = [];
    const other = await serve((request, response) => response.end(seen.push(request.headers) && 'other'));
    const url = await serve((request, response) => {
      const to = { '/a': '/b', '/out': `${other}/x?token=secret`, '/loop': '/loop', '/bad': 'http://[' }[request.url!];
      if (to === undefined) response.end(request.headers['authorization']);
      else response.writeHead(302, { location: to }).end();
    });
    const headers = { authorization: 'Bearer secret' };
    expect(await get(`${url}/a`, { headers })).to.include({ ok: true, body: 'Bearer secret' });
    expect(await failure(`${url}/out`, { headers })).to.deep.equal({
      ok: false,
      state: 'invalid',
      detail: `${url}/out redirects to ${other}/x, which is not followed: configure the final URL`,
      status: 302,
      retryable: false,
    });
    expect(await failure(`${url}/loop`)).to.include({ state: 'invalid', detail: `${url}/loop redirects to itself` });
    expect(await failure(`${url}/bad`)).to.include({ state: 'invalid' });
    expect(seen).to.deep.equal([]);
  });

  it('tells redirects that lead nowhere from those that lead elsewhere', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      const path = request.url!.replace(/\?.*/, '');
      const to = { '/a': '/b', '/b': '/a', '/new': `/new?${asked}`, '/1': '/2', '/2': '/3', '/3': '/4', '/4': '/5' }[
        path
      ];
      response.writeHead(302, { location: to }).end();
    });
    expect((await failure(`${url}/a`)).detail).to.equal(`${url}/a redirects to itself, by way of ${url}/b`);
    expect(asked).to.equal(2);
    expect((await failure(`${url}/new`)).detail).to.equal(`${url}/new redirects to itself`);
    expect((await failure(`${url}/1`)).detail).to.equal(
      `${url}/4 redirects to ${url}/5, which is not followed: configure the final URL`,
    );
  });

  it('connects to a given address, and keeps the name', async () => {
    const url = (await serve((request, response) => response.end(request.headers.host))).replace(
      '127.0.0.1',
      'a.invalid',
    );
    expect(await get(url, { address: '127.0.0.1' })).to.include({ ok: true, body: url.replace('http://', '') });
    expect((await failure(url, { address: '127.0.0.2' })).detail).to.match(/connection refused/);
    const server = createTlsServer({ key: KEY, cert: CERT }, (_, response) => response.end('safe'));
    const port = await listen(server);
    const names: unknown[] = [];
    server.on('secureConnection', (socket) => names.push((socket as { servername?: unknown }).servername));
    const options = { ca: CERT, address: '127.0.0.1' };
    expect(await get(`https://localhost:${port}`, options)).to.include({ ok: true, body: 'safe' });
    expect((await failure(`https://a.invalid:${port}`, options)).detail).to.match(/certificate is for another name/);
    expect(names[0]).to.equal('localhost');
  });

  it('shows a client certificate, and says when one is wanted', async () => {
    const server = createTlsServer(
      // Of TLS 1.3 the refusal may be lost: the handshake is over by then, and the connection is reset.
      { key: KEY, cert: CERT, ca: CERT, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' },
      (_, response) => response.end('let in'),
    );
    const url = `https://localhost:${await listen(server)}`;
    const options = { ca: CERT, address: '127.0.0.1' };
    expect(await get(url, { ...options, cert: CERT, key: KEY })).to.include({ ok: true, body: 'let in' });
    const answer = await failure(url, options);
    expect(answer).to.include({ state: 'refused', retryable: false });
    expect(answer.detail).to.match(/it refuses the TLS handshake: it may want a client certificate/);
  });

  it('trusts a certificate only with its CA', async () => {
    const server = createTlsServer({ key: KEY, cert: CERT }, (_, response) => response.end('safe'));
    const port = await listen(server);
    const url = `https://127.0.0.1:${port}`;
    expect(await get(url, { ca: CERT })).to.include({ ok: true, body: 'safe' });
    const answer = await failure(url);
    expect(answer).to.include({ state: 'unreachable', retryable: false });
    expect(answer.detail).to.match(/certificate is not trusted/);
    const plain = await serve((_, response) => response.end());
    expect(await failure(plain.replace('http:', 'https:'))).to.include({ state: 'unreachable', retryable: false });
  });

  it('rejects with the reason of its signal, before and while it waits', async () => {
    const url = await serve(() => undefined);
    const reason = new Error('enough');
    const controller = new AbortController();
    const waiting = get(url, { signal: controller.signal }).catch((error: unknown) => error);
    setTimeout(() => controller.abort(reason), 20);
    expect(await waiting).to.equal(reason);
    expect(await get(url, { signal: controller.signal }).catch((error: unknown) => error)).to.equal(reason);
  });
});

import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Clock } from '../../../src/lib/clock.js';
import { type WebhookSettings, webhook } from '../../../src/lib/gates/webhook.js';
import { refusal } from '../refusal.js';
import { aCall } from './call.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const START = Date.parse('2026-03-01T12:00:05.900Z');

interface Received {
  headers: IncomingMessage['headers'];
  method: string | undefined;
  body: string;
}

describe('webhook', () => {
  let server: Server;
  let url: string;
  let received: Received[];
  let answers: ((response: ServerResponse) => unknown)[];
  let slept: number[];
  let now: number;

  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
  const context = { clock, random: () => 0.5, env: { SECRET } };

  beforeEach(async () => {
    [received, answers, slept, now] = [[], [], [], START];
    server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        received.push({ headers: request.headers, method: request.method, body });
        const answer = answers[received.length - 1] ?? answers.at(-1) ?? status(200, 'thanks');
        answer(response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  const hook = (changes: Partial<WebhookSettings> = {}): WebhookSettings => ({
    url,
    secretEnv: 'SECRET',
    timeoutSeconds: 5,
    retries: 3,
    ...changes,
  });

  it('posts to an address out of a variable, which is in nothing that it records', async () => {
    const secret = 'abcdefghij0123456789';
    const settings = { urlEnv: 'CHAT', secretEnv: null, timeoutSeconds: 5, retries: 0 };
    const env = { CHAT: `${url}/${secret}?sig=${secret}` };
    answers = [status(400, `cannot POST /hook/${secret}?sig=${secret}`)];
    const failed = await webhook.call(settings, aCall(), { ...context, env });
    expect(failed).to.include({ ok: false, detail: 'HTTP 400: cannot POST ***' });
    expect(webhook.nameOf(settings)).to.equal('CHAT');
    expect(webhook.secretNames?.(settings)).to.deep.equal(['CHAT']);
    for (const [value, says] of [
      ['', /CHAT is not set/],
      ['nowhere', /CHAT does not hold an http or https URL/],
      [`http://ana:${secret}@127.0.0.1/`, /CHAT contains a user name or password/],
    ] as const) {
      const error = await refusal(webhook.call(settings, aCall(), { ...context, env: { CHAT: value } }));
      expect(error.message).to.match(says).and.not.include(secret);
    }
  });

  it('posts the call, signed so that a receiver can check it', async () => {
    const call = aCall();
    const result = await webhook.call(hook(), call, context);
    expect(result).to.deep.equal({ ok: true, detail: 'HTTP 200: thanks', durationMs: 0 });
    const { headers, body, method } = received[0]!;
    expect(method).to.equal('POST');
    expect(JSON.parse(body)).to.deep.equal({ type: 'canary.promote', timestamp: call.decidedAt, data: call });
    expect(headers).to.include({
      'content-type': 'application/json',
      'webhook-id': 'can_01',
      'idempotency-key': 'can_01',
      'webhook-timestamp': String(Math.floor(START / 1000)),
    });
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    expect(headers['webhook-signature']).to.equal(signature(key, headers, body));
  });

  it('passes the check that docs/hooks.md gives receivers, and fails it when anything was changed', async () => {
    const verify = await documentedVerify();
    now = Date.now();
    await webhook.call(hook(), aCall(), context);
    const { headers, body } = received[0]!;
    expect(verify(headers, body, SECRET)).to.equal(true);
    expect(verify(headers, body.replace('v7', 'v8'), SECRET)).to.equal(false);
    expect(verify({ ...headers, 'webhook-id': 'can_02' }, body, SECRET)).to.equal(false);
    expect(verify(headers, body, 'whsec_AAAA')).to.equal(false);
    now -= 3_600_000;
    await webhook.call(hook(), aCall(), context);
    expect(verify(received[1]!.headers, received[1]!.body, SECRET)).to.equal(false);
  });

  // The test vector of the reference libraries (github.com/standard-webhooks/standard-webhooks) pins the scheme itself.
  it('agrees with the reference signature of Standard Webhooks', () => {
    const headers = { 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330' };
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    expect(signature(key, headers, '{"test": 2432232314}')).to.equal('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('uses a secret without the prefix as its bytes, and sends no signature without a secret', async () => {
    await webhook.call(hook(), aCall(), { ...context, env: { SECRET: 'plain words' } });
    await webhook.call(hook({ secretEnv: null }), aCall(), context);
    const [plain, unsigned] = received;
    expect(plain!.headers['webhook-signature']).to.equal(
      signature(Buffer.from('plain words'), plain!.headers, plain!.body),
    );
    expect(unsigned!.headers).not.to.have.property('webhook-signature');
  });

  it('tries again with the same id and body, a fresh timestamp and signature', async () => {
    answers = [status(503), status(429), status(200, 'at last')];
    const result = await webhook.call(hook(), aCall(), context);
    expect(result).to.include({ ok: true, detail: 'HTTP 200: at last (after 3 tries)' });
    expect(slept).to.deep.equal([375, 750]);
    expect(result.durationMs).to.equal(1125);
    expect(received.map(({ headers }) => headers['webhook-id'])).to.deep.equal(['can_01', 'can_01', 'can_01']);
    expect(new Set(received.map(({ body }) => body)).size).to.equal(1);
    expect(
      received.map(({ headers }) => Number(headers['webhook-timestamp']) - Math.floor(START / 1000)),
    ).to.deep.equal([0, 1, 2]);
    const key = Buffer.from(SECRET.slice(6), 'base64');
    for (const { headers, body } of received) {
      expect(headers['webhook-signature']).to.equal(signature(key, headers, body));
    }
  });

  it('gives up after its retries', async () => {
    answers = [status(500, 'down')];
    const result = await webhook.call(hook({ retries: 2 }), aCall(), context);
    expect(result).to.include({ ok: false, detail: 'HTTP 500: down (after 3 tries)' });
    expect(received).to.have.length(3);
  });

  for (const code of [400, 401, 404, 410, 422]) {
    it(`takes ${code} as final`, async () => {
      answers = [status(code, 'no')];
      const result = await webhook.call(hook(), aCall(), context);
      expect(result).to.include({ ok: false, detail: `HTTP ${code}: no` });
      expect(received).to.have.length(1);
    });
  }

  it('waits as long as the receiver asks, in seconds or until a date, up to 30 s', async () => {
    const date = new Date(START + 8100).toUTCString();
    answers = ['7', date, '3600', 'soon'].map((wish) => status(503, '', { 'retry-after': wish }));
    answers.push(status(204));
    await webhook.call(hook({ retries: 4 }), aCall(), context);
    expect(slept).to.deep.equal([7000, 1100, 30_000, 3000]);
  });

  it('does not follow a redirect', async () => {
    answers = [status(307, '', { location: url })];
    const result = await webhook.call(hook(), aCall(), context);
    expect(result).to.include({ ok: false, detail: 'HTTP 307 (redirects are not followed)' });
    expect(received).to.have.length(1);
  });

  it('tries again when the receiver is silent or breaks off', async () => {
    answers = [() => undefined, (response) => response.destroy(), status(200)];
    const result = await webhook.call(hook({ timeoutSeconds: 0.1 }), aCall(), context);
    expect(result).to.include({ ok: true, detail: 'HTTP 200 (after 3 tries)' });
  });

  it('names what went wrong on the network', async () => {
    answers = [() => undefined];
    const silent = await webhook.call(hook({ timeoutSeconds: 0.1, retries: 0 }), aCall(), context);
    expect(silent).to.include({ ok: false, detail: `${new URL(url).host}: no answer within 0.1 s` });
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const refused = await webhook.call(hook({ url: `http://127.0.0.1:${port}/`, retries: 1 }), aCall(), context);
    expect(refused).to.include({ ok: false, detail: `127.0.0.1:${port}: ECONNREFUSED (after 2 tries)` });
  });

  it('keeps only the beginning of the body, without control characters', async () => {
    answers = [status(200, `a\u001b[31m\nb${'x'.repeat(1_000_000)}`)];
    const { ok, detail } = await webhook.call(hook(), aCall(), context);
    expect(ok).to.equal(true);
    expect(detail).to.match(/^HTTP 200: a bx+$/);
    expect(detail.length).to.be.within(4000, 4200);
  });

  it('does not wait for a body that never ends', async () => {
    answers = [(response) => response.writeHead(200).write('begun')];
    const result = await webhook.call(hook({ timeoutSeconds: 0.2 }), aCall(), context);
    expect(result.ok).to.equal(true);
    expect(result.detail).to.match(/^HTTP 200: begun/);
  });

  it('rejects with the reason when aborted, and does not try again', async () => {
    const stop = new AbortController();
    const reason = new Error('stopping');
    answers = [() => stop.abort(reason)];
    const outcome = await webhook.call(hook(), aCall(), { ...context, signal: stop.signal }).catch((error) => error);
    expect(outcome).to.equal(reason);
    expect(received).to.have.length(1);
  });

  it('refuses URLs that are not plain http(s), without repeating what they hold', async () => {
    for (const url of ['http://me:hunter2@host/', 'ftp://hunter2/', 'hunter2', 'file:///hunter2']) {
      const refused: Error = await webhook.call(hook({ url }), aCall(), context).catch((error) => error);
      expect(refused).to.have.property('code', 'CONFIG');
      expect(refused.message)
        .to.match(/^webhook url: /)
        .and.not.include('hunter2');
    }
  });

  it('refuses a whsec_ secret that is not base64', async () => {
    const outcome = await webhook
      .call(hook(), aCall(), { ...context, env: { SECRET: 'whsec_***' } })
      .catch((error) => error);
    expect(outcome).to.have.property('code', 'CONFIG');
    expect(received).to.have.length(0);
  });
});

function status(code: number, body = '', headers: Record<string, string> = {}) {
  return (response: ServerResponse) => response.writeHead(code, headers).end(body);
}

/** What a receiver computes (Standard Webhooks, "Signature scheme"). */
function signature(key: Buffer, headers: IncomingMessage['headers'], body: string): string {
  const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${body}`;
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

type Verify = (headers: IncomingMessage['headers'], body: string, secret: string) => boolean;

async function documentedVerify(): Promise<Verify> {
  const page = await readFile(new URL('../../../docs/hooks.md', import.meta.url), 'utf8');
  const code = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { verify: Verify };
  return module.verify;
}

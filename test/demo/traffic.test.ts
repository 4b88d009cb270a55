import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { startTraffic } from '../../src/demo/traffic.js';

describe('demo traffic', () => {
  const servers: Server[] = [];

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer((request, response) => {
      request.resume();
      request.once('end', () => listener(request, response));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('keeps its rate though the service is slow, and waits for the answers when stopped', async () => {
    const url = await serve((_, response) => void setTimeout(() => response.end('{}'), 400));
    const traffic = startTraffic({ targets: { one: url }, requestsPerSecond: 100, seed: 1 });
    const began = performance.now();
    await wait(1000);
    const running = traffic.stats().one;
    // A hundred a second, give or take what chance makes of it; a machine that is busy sends fewer.
    expect(running.sent).to.be.below((performance.now() - began) / 10 + 40);
    expect(running.sent - running.ok, 'unanswered').to.be.above(15);
    await traffic.stop();
    const stopped = traffic.stats().one;
    expect(stopped).to.deep.equal({ sent: stopped.sent, ok: stopped.sent, failed: 0 });
    await wait(100);
    expect(traffic.stats().one).to.deep.equal(stopped);
  });

  it('counts refused connections, other statuses and broken answers as failed', async () => {
    const gone = await serve((_, response) => void response.end());
    await new Promise((resolve) => servers.splice(0)[0]?.close(resolve));
    const failing = await serve((_, response) => void response.writeHead(500).end('{}'));
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setTimeout(() => response.destroy(), 5);
    });
    const traffic = startTraffic({ targets: { gone, failing, broken }, requestsPerSecond: 100, seed: 1 });
    await wait(300);
    await traffic.stop();
    for (const arm of Object.values(traffic.stats())) {
      expect(arm.sent).to.be.above(5);
      expect(arm).to.deep.equal({ sent: arm.sent, ok: 0, failed: arm.sent });
    }
  });

  it('sends both arms payments of one population, the same ones in every run of a seed', async () => {
    const seen: Record<string, string[]> = { a: [], b: [], again: [] };
    const record = (name: string): Promise<string> =>
      serve((request, response) => void response.end(request.url)).then((url) => {
        servers.at(-1)?.on('request', (request) => {
          request.on('data', (chunk: Buffer) => seen[name]?.push(chunk.toString()));
        });
        return url;
      });
    const first = startTraffic({
      targets: { a: await record('a'), b: await record('b') },
      requestsPerSecond: 200,
      seed: 7,
    });
    await wait(200);
    await first.stop();
    const second = startTraffic({ targets: { a: await record('again') }, requestsPerSecond: 200, seed: 7 });
    await wait(200);
    await second.stop();
    // Connections may overtake one another, so compare as sets.
    const [a, b, again] = [seen['a'] ?? [], seen['b'] ?? [], seen['again'] ?? []].map((bodies) => new Set(bodies));
    const common = Math.min(a?.size ?? 0, again?.size ?? 0);
    expect(common).to.be.above(10);
    expect([...(a ?? [])].filter((body) => again?.has(body)).length).to.be.at.least(common - 3);
    expect([...(a ?? [])].filter((body) => b?.has(body))).to.deep.equal([]);
  });

  it('catches up at most a second after this process was held up', async () => {
    const url = await serve((_, response) => void response.end('{}'));
    const traffic = startTraffic({ targets: { one: url }, requestsPerSecond: 100, seed: 1 });
    await wait(100);
    const before = traffic.stats().one.sent;
    const until = performance.now() + 2000;
    while (performance.now() < until);
    await wait(20);
    const burst = traffic.stats().one.sent - before;
    const since = performance.now() - until;
    await traffic.stop();
    expect(burst).to.be.within(50, 150 + since / 5);
  });

  it('may be stopped twice, and before the first request', async () => {
    const url = await serve((_, response) => void response.end('{}'));
    const traffic = startTraffic({ targets: { one: url }, requestsPerSecond: 0.001, seed: 1 });
    await Promise.all([traffic.stop(), traffic.stop()]);
    await traffic.stop();
    expect(traffic.stats().one).to.deep.equal({ sent: 0, ok: 0, failed: 0 });
  });
});

import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Told } from '../../src/lib/view/index.js';
import { canary, idOf, lines, Traffic } from './events.js';

/** A daemon as the page sees it, with as many events as are wanted and no work behind them. */
export interface Stub {
  url: string;
  /** Events a second from now on; 0: none. */
  emit(perSecond: number): void;
  /** The canary of `#/canary/` has so many checks from now on, and says so. */
  grow(checks: number): void;
  /** Events sent so far. */
  sent(): number;
  stop(): Promise<void>;
}

const SLICE_MS = 20;

export async function startStub(page: string, canaries: number): Promise<Stub> {
  const traffic = new Traffic(canaries);
  const overview = JSON.stringify(traffic.overview());
  const html = readFileSync(page);
  const streams = new Set<ServerResponse>();
  let [checks, perSecond, owed, count] = [0, 0, 0, 0];
  const tell = ({ id, name, data }: Told): void => {
    count++;
    for (const stream of streams) stream.write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const json = (response: ServerResponse, body: string): void => {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(body);
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub');
    switch (url.pathname) {
      case '/cockpit.html':
        return response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(html);
      case '/empty.html':
        return response
          .writeHead(200, { 'Content-Type': 'text/html' })
          .end('<!doctype html><title>x</title><p id="empty">empty');
      case '/api/session':
        return json(
          response,
          JSON.stringify({ required: false, signedIn: false, who: null, version: '0', readOnly: true }),
        );
      case '/api/overview':
        return json(response, overview);
      case '/api/canary': {
        const events = canary(idOf(0), 'model-0', 36_000);
        return json(
          response,
          JSON.stringify({ id: idOf(0), position: traffic.position, events, gate: [], policyDigest: 'x' }),
        );
      }
      case '/api/observations':
        return response.writeHead(200).end(lines(Number(url.searchParams.get('after')), checks));
      case '/sse': {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        streams.add(response);
        response.on('close', () => streams.delete(response));
        const data = { ts: new Date().toISOString(), topics: [], position: traffic.position, resumed: true };
        return response.write(`id: ${traffic.position}\nevent: open\ndata: ${JSON.stringify(data)}\n\n`);
      }
      default:
        return response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const timer = setInterval(() => {
    owed += (perSecond * SLICE_MS) / 1000;
    for (; owed >= 1; owed--) tell(traffic.next());
  }, SLICE_MS);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    emit: (rate) => {
      perSecond = rate;
    },
    grow: (to) => {
      checks = to;
      tell({
        ...traffic.next(),
        data: { canaryId: idOf(0), modelId: 'model-0', status: 'RUNNING', tick: to + 10_000 },
      });
    },
    sent: () => count,
    stop: async () => {
      clearInterval(timer);
      for (const stream of streams) stream.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

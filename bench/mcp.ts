import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { startHttpServer } from '../src/daemon/http/server.js';
import { createMcpEndpoint } from '../src/daemon/mcp/endpoint.js';
import { createLukhasServer } from '../src/daemon/mcp/server.js';
import { Service } from '../src/daemon/service.js';
import { openApp } from '../src/lib/app/app.js';
import { loadConfig } from '../src/lib/app/config.js';

/**
 * `tools/call` over HTTP: `canary_status` of the daemon beside a tool that says hello, on the same package with its usual
 * handler, in the same process and run, in turns. What is compared is what the daemon costs on top: its edge, its
 * answer without a stream, its tools, and reading the log.
 */
export async function run(args: readonly string[]): Promise<void> {
  const option = (name: string, fallback: number) => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? fallback : Number(args[at + 1]);
  };
  const [seconds, rounds, clients] = [option('seconds', 3), option('rounds', 5), option('clients', 8)];
  const folder = mkdtempSync(join(tmpdir(), 'lukhas-bench-mcp-'));
  const config = await loadConfig({ flags: { db: join(folder, 'log.db') }, env: { HOME: folder }, cwd: folder });
  const app = await openApp({ config });
  const service = new Service(app);
  const ours = await lukhas(service);
  const hello = await bare();
  try {
    const targets = { latency_p95_ms: 250, max_error_rate: 0.02 };
    const asked = { modelId: 'm', fromGate: 'stage', toGate: 'production', targets, dryRun: false };
    const { canaryId } = await service.startCanary(asked, { who: 'bench', how: 'loopback' });
    const contenders = [
      { name: 'lukhas canary_status', url: ours.url, body: call('canary_status', { canaryId }), rates: [] as number[] },
      { name: 'lukhas why (unknown)', url: ours.url, body: call('why', { id: 'test' }), rates: [] as number[] },
      { name: 'bare hello', url: hello.url, body: call('hello', { name: 'you' }), rates: [] as number[] },
    ];
    for (const { url, body } of contenders) await rate(url, body, clients, 1);
    for (let round = 0; round < rounds; round++)
      for (const contender of contenders)
        contender.rates.push(await rate(contender.url, contender.body, clients, seconds));
    const floor = median(contenders.at(-1)!.rates);
    console.log(`${clients} clients, ${rounds} rounds of ${seconds} s, in turns; one process with its clients`);
    for (const { name, rates } of contenders) {
      const middle = median(rates);
      console.log(
        `${name.padEnd(22)} ${middle.toFixed(0).padStart(6)} calls/s (${Math.min(...rates).toFixed(0)}-${Math.max(...rates).toFixed(0)})  ${(middle / floor).toFixed(2)}x of bare hello`,
      );
    }
    const ratio = median(contenders[0]!.rates) / floor;
    console.log(`reaches 0.8x: ${ratio >= 0.8 ? 'yes' : 'no'}`);
  } finally {
    service.close();
    await Promise.all([ours.close(), hello.close()]);
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Target {
  url: string;
  close(): Promise<void>;
}

async function lukhas(service: Service): Promise<Target> {
  const endpoint = createMcpEndpoint({ newServer: createLukhasServer(service, { version: 'bench' }) });
  const onError = (error: unknown) => {
    throw error;
  };
  const server = await startHttpServer({ routes: [endpoint.route], host: '127.0.0.1', port: 0, onError });
  return {
    url: `${server.url}/mcp`,
    async close() {
      await endpoint.close();
      await server.close(100);
    },
  };
}

/** As the package's guide has it: one tool, its handler, and Node's server around it. */
async function bare(): Promise<Target> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'hello', version: '1.0.0' });
    server.registerTool(
      'hello',
      { description: 'Says hello.', inputSchema: z.object({ name: z.string() }) },
      ({ name }) => ({ content: [{ type: 'text', text: `Hello, ${name}!` }] }),
    );
    return server;
  });
  const server = createServer((incoming, response) => {
    void answer(incoming).then(async (answered) => {
      response.writeHead(answered.status, Object.fromEntries(answered.headers));
      for await (const chunk of answered.body ?? []) response.write(chunk);
      response.end();
    });
  });
  const answer = async (incoming: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as [string, string]);
    const body = Buffer.concat(chunks);
    return handler.fetch(new Request('http://127.0.0.1/mcp', { method: 'POST', headers, body }));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function call(name: string, args: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
}

/** Calls a second that this many clients get answered, each one after the other on a connection that stays. */
async function rate(url: string, body: string, clients: number, seconds: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const began = performance.now();
  const end = began + seconds * 1000;
  let calls = 0;
  const client = async () => {
    while (performance.now() < end) {
      await post(url, body, agent);
      calls++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const took = (performance.now() - began) / 1000;
  agent.destroy();
  return calls / took;
}

const HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };

function post(url: string, body: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const sent = request(
      url,
      { method: 'POST', agent, headers: { ...HEADERS, 'Content-Length': length } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200 && text.includes('"content"')) resolve();
          else reject(new Error(`${response.statusCode}: ${text.slice(0, 300)}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerEventBus } from '@modelcontextprotocol/server';
import { startHttpServer } from '../../../src/daemon/http/server.js';
import { createMcpEndpoint, type NewServer } from '../../../src/daemon/mcp/endpoint.js';
import { createLukhasServer } from '../../../src/daemon/mcp/server.js';
import type { ToolChoice } from '../../../src/daemon/mcp/tools/catalogue.js';
import { ResourceUpdates } from '../../../src/daemon/mcp/updates.js';
import { Service } from '../../../src/daemon/service.js';
import { type App, openApp } from '../../../src/lib/app/app.js';
import { loadConfig } from '../../../src/lib/app/config.js';
import type { Actor } from '../../../src/lib/ledger/events.js';

export const ASKER: Actor = { who: 'loopback', how: 'loopback' };

/** A real server on loopback over a real database in a folder of its own; nothing drives canaries. */
export interface Place {
  app: App;
  service: Service;
  /** Of the endpoint. */
  url: string;
  newServer: NewServer;
  /** What was told to nobody. */
  errors: unknown[];
  close(): Promise<void>;
}

interface Asked extends ToolChoice {
  /** Instead of the product's own. */
  newServer?: NewServer;
  updates?: ServerEventBus;
  onStarted?: () => void;
}

/** A database in memory where there is one: tests write much and wait for no disk. */
export async function openTestApp(): Promise<{ app: App; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lukhas-mcp-'));
  const config = await loadConfig({ flags: { db: join(folder, 'log.db') }, env: { HOME: folder }, cwd: folder });
  const app = await openApp({ config });
  return {
    app,
    async remove() {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function place(asked: Asked = {}): Promise<Place> {
  const { app, remove } = await openTestApp();
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
  };
  const service = new Service(app, { onError, ...(asked.onStarted ? { onStarted: asked.onStarted } : {}) });
  const newServer = asked.newServer ?? createLukhasServer(service, { version: '0.0.0-test', onError, ...asked });
  const updates = asked.updates ?? new ResourceUpdates(service.changes, onError);
  const endpoint = createMcpEndpoint({ newServer, updates, onError });
  const server = await startHttpServer({ routes: [endpoint.route], host: '127.0.0.1', port: 0, onError });
  return {
    app,
    service,
    url: `${server.url}/mcp`,
    newServer,
    errors,
    async close() {
      service.close();
      await endpoint.close();
      await server.close(500);
      await remove();
    },
  };
}

export interface Answered {
  status: number;
  type: string | null;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
  json: any;
}

/** Posts as `curl -d` does: a type, any Accept, nothing else. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answered> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: '*/*', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const type = response.headers.get('content-type');
  const json = type?.startsWith('application/json') ? JSON.parse(text) : undefined;
  return { status: response.status, type, headers: response.headers, text, json };
}

export function callOf(name: string, args: unknown, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

/** A request of the era without sessions, with what it has to carry. */
export function modern(method: string, params: object = {}, id: unknown = 1, meta: object = {}): object {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
    ...meta,
  };
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: envelope } };
}

export function modernHeaders(method: string, name?: string): Record<string, string> {
  return {
    Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': '2026-07-28',
    'Mcp-Method': method,
    ...(name === undefined ? {} : { 'Mcp-Name': name }),
  };
}

export const CANARY = {
  modelId: 'matriz-v3',
  fromGate: 'stage',
  toGate: 'production',
  windowSeconds: 120,
  targets: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 },
};

/** What the runtime warns of while something is done. */
export async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const note = ({ name, message }: Error) => void warnings.push(`${name}: ${message}`);
  process.on('warning', note);
  try {
    await work();
    // Warnings are told at the next turn.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('warning', note);
  }
  return warnings;
}

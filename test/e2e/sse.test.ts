import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { happened, idsIn } from '../daemon/sse/daemon.js';
import { Stream } from '../daemon/sse/stream.js';
import { withFolder } from '../lib/ledger/examples.js';

const SCRIPT = fileURLToPath(new URL('sse-server.ts', import.meta.url));
const MANY = Number(process.env['SSE_CLIENTS'] ?? 2000);
const SURVIVORS = Math.min(MANY, 1000);
/** Connections that are opened at once: as many as a listening socket keeps waiting. */
const AT_ONCE = 200;
const EVENTS = 300;
const LAST = 'blocked';

/** A client that keeps the ids it was given over several connections. */
class Client {
  readonly ids: string[] = [];
  #stream: Stream | null = null;
  #complete = false;

  async connect(url: string): Promise<void> {
    for (let patience = 100; ; patience--) {
      const last = this.ids.at(-1);
      const headers = last === undefined ? {} : { 'Last-Event-ID': last };
      const stream = new Stream(url, '/sse?topic=canaries', { headers });
      try {
        this.#stream = await stream.count(1);
        if (last === undefined) this.ids.push(stream.ids[0] as string);
        return;
      } catch (error) {
        if (patience === 0) throw error;
        await wait(100);
      }
    }
  }

  async cut(): Promise<void> {
    await this.#stream?.reset();
    this.#keep();
  }

  async lost(): Promise<void> {
    await this.#stream?.end();
    this.#keep();
  }

  async finish(): Promise<void> {
    const stream = this.#stream;
    // What it had before it was cut off does not come again.
    if (!this.#complete) await stream?.until(() => stream.events.at(-1)?.name === LAST);
    await this.cut();
  }

  #keep(): void {
    this.ids.push(...(this.#stream?.ids.slice(1) ?? []));
    this.#complete ||= this.#stream?.events.at(-1)?.name === LAST;
    this.#stream = null;
  }
}

async function inBatches(clients: readonly Client[], act: (client: Client) => Promise<void>): Promise<void> {
  for (let i = 0; i < clients.length; i += AT_ONCE) await Promise.all(clients.slice(i, i + AT_ONCE).map(act));
}

function start(...args: (string | number)[]): ChildProcess {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return spawn(process.execPath, ['--import', 'tsx', SCRIPT, ...args.map(String)], { stdio: [...stdio] });
}

async function serve(path: string, port = 0): Promise<{ server: ChildProcess; port: number; url: string }> {
  const server = start('serve', path, port);
  const [line] = (await once(server.stdout!, 'data')) as [Buffer];
  return { server, port: Number(line), url: `http://127.0.0.1:${Number(line)}` };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Runs `test` with a server over a ledger with one canary, and checks at the end what every client was told. */
async function streaming(
  count: number,
  test: (clients: Client[], at: { path: string; url: string; port: number; server: ChildProcess }) => Promise<void>,
): Promise<void> {
  await withFolder(async (path) => {
    const ledger = await openLedger(path);
    await happened(ledger, 'c1', 'canary.requested', 'canary.started');
    const clients = Array.from({ length: count }, () => new Client());
    const { server, port, url } = await serve(path);
    try {
      await inBatches(clients, (client) => client.connect(url));
      await test(clients, { path, url, port, server });
      const expected = (await idsIn(ledger, ['canaries'])).slice(1);
      expect(expected).to.have.length(EVENTS + 2);
      const wrong = clients.filter(({ ids }) => ids.join() !== expected.join());
      expect(wrong.map(({ ids }) => ids)).to.deep.equal([]);
    } finally {
      await stop(server);
      await ledger.close();
    }
  });
}

describe('event streams of many clients', () => {
  it(`have every event once when half of ${MANY} are cut off`, async () => {
    await streaming(MANY, async (clients, { path, url }) => {
      const writer = start('append', path, EVENTS, 10);
      await once(writer, 'spawn');
      await wait(1500);
      const half = clients.filter((_, i) => i % 2 === 0);
      await inBatches(half, async (client) => {
        await client.cut();
        await client.connect(url);
      });
      await Promise.all(clients.map((client) => client.finish()));
      await stop(writer);
    });
  });

  it(`have every event once when the daemon is killed under ${SURVIVORS} and comes back`, async () => {
    await streaming(SURVIVORS, async (clients, { path, port, url, server }) => {
      const writer = start('append', path, EVENTS, 10);
      await once(writer, 'spawn');
      await wait(1500);
      await stop(server);
      await Promise.all(clients.map((client) => client.lost()));
      const next = await serve(path, port);
      try {
        await inBatches(clients, (client) => client.connect(url));
        await Promise.all(clients.map((client) => client.finish()));
      } finally {
        await stop(next.server);
        await stop(writer);
      }
    });
  });
});

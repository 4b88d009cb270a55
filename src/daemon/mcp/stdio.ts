import type { Readable, Writable } from 'node:stream';
import { isJSONRPCRequest, type JSONRPCMessage, type Server } from '@modelcontextprotocol/server';
import { serveStdio as connectStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';
import type { Actor } from '../../lib/ledger/index.js';
import type { Service } from '../service.js';
import type { NewServer, NewServerContext } from './endpoint.js';
import { MessageLines } from './lines.js';
import { changesOf } from './updates.js';

export interface StdioOptions {
  newServer: NewServer;
  /** The user who runs the client. */
  actor: Actor;
  /** Default: the process's own streams. Nothing else may write to them. */
  stdin?: Readable;
  stdout?: Writable;
  onError?: (error: unknown) => void;
}

export interface StdioConnection {
  /** Resolves when the client has closed the connection, or `close` was called. */
  finished: Promise<void>;
  close(): Promise<void>;
}

/** How long requests are still answered after the client has closed its input. */
const LAST_ANSWERS_MS = 30_000;

/** MCP over stdin and stdout with one client, in the protocol version that it opens with. */
export async function serveStdio(service: Service, options: StdioOptions): Promise<StdioConnection> {
  const { newServer, actor, stdin = process.stdin, stdout = process.stdout } = options;
  const onError = options.onError ?? (() => undefined);
  let current: Subscriber | null = null;
  const unsubscribe = await service.changes.subscribe((items) => {
    current?.notify(changesOf(items)).catch(onError);
  });
  // Each answer that waits for the client to read adds a listener.
  stdout.setMaxListeners(0);
  const input = new MessageLines(stdout, onError);
  const transport = new StdioServerTransport(input, stdout);
  const connection = connectStdio(
    ({ era }) => {
      const server = newServer({ era, actor });
      current = new Subscriber('server' in server ? server.server : server, era);
      return server;
    },
    { transport, onerror: onError },
  );
  const finished = new Promise<void>((resolve) => {
    const closed = transport.onclose;
    transport.onclose = () => {
      closed?.();
      unsubscribe();
      // Input that stays open must not keep the process from ending.
      stdin.unpipe(input);
      stdin.pause();
      resolve();
    };
  });
  // A client that cannot be answered any more has left, whatever is still open of its input.
  stdout.once('error', () => {
    connection.close().catch(onError);
  });
  feed(stdin, input, transport);
  return { finished, close: () => connection.close() };
}

/** Sends changes over the connection, in both eras. In the modern one, the package keeps track of subscriptions. */
class Subscriber {
  private readonly wanted = new Set<string>();

  constructor(
    private readonly server: Server,
    private readonly era: NewServerContext['era'],
  ) {
    if (era === 'modern' || server.getCapabilities().resources === undefined) return;
    server.registerCapabilities({ resources: { subscribe: true, listChanged: true } });
    const params = z.looseObject({ uri: z.string() });
    server.setRequestHandler('resources/subscribe', { params }, ({ uri }) => {
      this.wanted.add(uri);
      return {};
    });
    server.setRequestHandler('resources/unsubscribe', { params }, ({ uri }) => {
      this.wanted.delete(uri);
      return {};
    });
  }

  async notify({ resources, listed }: ReturnType<typeof changesOf>): Promise<void> {
    const { server, era } = this;
    if (server.transport === undefined) return;
    for (const uri of resources)
      if (era === 'modern' || this.wanted.has(uri)) await server.sendResourceUpdated({ uri });
    if (listed) await server.sendResourceListChanged();
  }
}

/** Keeps the transport's input open until all requests are answered: at its end, the transport drops pending answers. */
function feed(stdin: Readable, input: MessageLines, transport: StdioServerTransport): void {
  const open = new Set<unknown>();
  let ended = false;
  const settle = () => {
    if (!ended || open.size > 0) return;
    // Input that has been read but not parsed may contain requests.
    if (input.writableLength + input.readableLength > 0) setImmediate(settle);
    else input.end();
  };
  const { onmessage } = transport;
  transport.onmessage = (message: JSONRPCMessage) => {
    // A subscription is answered when it ends.
    if (isJSONRPCRequest(message) && message.method !== 'subscriptions/listen') open.add(message.id);
    onmessage?.(message);
  };
  const send = transport.send.bind(transport);
  transport.send = async (message) => {
    await send(message);
    if ('id' in message && !('method' in message)) open.delete(message.id);
    settle();
  };
  stdin.pipe(input, { end: false });
  stdin.once('end', () => {
    ended = true;
    // The last line may lack its newline.
    input.write('\n');
    settle();
    setTimeout(() => input.end(), LAST_ANSWERS_MS).unref();
  });
}

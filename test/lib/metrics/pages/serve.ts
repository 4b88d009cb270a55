import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';

/** Servers on loopback, until `close`. */
export class Servers {
  private readonly open: Server[] = [];
  private readonly sockets = new Set<Socket>();

  /** @returns the address of its page */
  async http(answer: RequestListener, host = '127.0.0.1', port = 0): Promise<string> {
    return this.listen(createServer(answer), host, port);
  }

  /** Answers each request with these bytes as they are, and closes the connection. */
  async raw(answer: string | Uint8Array): Promise<string> {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer));
    });
    return this.listen(server, '127.0.0.1', 0);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
    await Promise.all(this.open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(server: Server, host: string, port: number): Promise<string> {
    this.open.push(server);
    server.on('connection', (socket: Socket) => this.sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    return `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/metrics`;
  }
}

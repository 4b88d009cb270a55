import { connect, type Socket } from 'node:net';

/** What a server wrote on one connection until it ended it. */
export interface Raw {
  text: string;
  /** First status, e.g. 400. */
  status: number;
  seconds: number;
  reset: boolean;
}

/** Sends bytes as they are and reads until the server closes. */
export function exchange(port: number, send: string, more?: (socket: Socket) => void): Promise<Raw> {
  const began = performance.now();
  return new Promise((resolve) => {
    let text = '';
    let reset = false;
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(send);
      more?.(socket);
    });
    socket.setEncoding('latin1').on('data', (part: string) => {
      text += part;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    });
    socket.on('close', () => {
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
      resolve({ text, status, seconds: (performance.now() - began) / 1000, reset });
    });
  });
}

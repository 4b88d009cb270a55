import type { Socket } from 'node:net';
import type { FeedPosition } from '../../lib/ledger/index.js';

/** One subscriber. Never has more than one write pending: later frames stay in the shared ring or the log. */
export class Client {
  readonly socket: Socket;
  readonly topics: readonly string[];
  /** What it has received so far, while it catches up. */
  position: FeedPosition;
  /** Number of the next frame in its channel, once it is live. */
  at = 0;
  /** Heartbeats for which its last write has been pending. */
  stalled = 0;
  #waiting = false;
  #whenFree: (() => void) | null = null;
  readonly #flushed = (): void => {
    if (!this.#waiting || this.socket.writableLength > 0) return;
    this.#waiting = false;
    this.stalled = 0;
    if (!this.gone) this.#whenFree?.();
  };

  constructor(socket: Socket, topics: readonly string[], position: FeedPosition) {
    this.socket = socket;
    this.topics = topics;
    this.position = position;
  }

  get gone(): boolean {
    return this.socket.destroyed || this.socket.writableEnded;
  }

  /** The kernel has not accepted all of the last write. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Called each time the kernel has accepted a pending write. */
  onFree(listener: () => void): void {
    this.#whenFree = listener;
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes, this.#flushed);
    this.#waiting = this.socket.writableLength > 0;
  }

  /** Resets the connection: after a plain close, the kernel would keep its buffers until the client reads. */
  drop(): void {
    this.socket.resetAndDestroy();
  }
}

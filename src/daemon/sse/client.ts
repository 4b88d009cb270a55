import type { Socket } from 'node:net';
import type { FeedPosition } from '../../lib/ledger/index.js';

/** One subscriber. Never has more than one write waiting: what comes meanwhile waits in the shared log. */
export class Client {
  readonly socket: Socket;
  readonly topics: readonly string[];
  /** How far it has been told, while it reads what came before. */
  position: FeedPosition;
  /** Number of its channel's next frame for it, once it is live. */
  at = 0;
  /** Heartbeats for which its last write has been waiting. */
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

  /** The kernel has not taken all of the last write. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Called each time the kernel has taken what it did not take at once. */
  onFree(listener: () => void): void {
    this.#whenFree = listener;
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes, this.#flushed);
    this.#waiting = this.socket.writableLength > 0;
  }

  /** A plain close would leave what the kernel holds for it in memory, for as long as it does not read. */
  drop(): void {
    this.socket.resetAndDestroy();
  }
}

import { connect, type Socket } from 'node:net';

/** One event as it came, without its text. */
export interface Received {
  id: string;
  name: string;
  data: Record<string, unknown>;
}

export interface StreamOptions {
  headers?: Record<string, string>;
  method?: string;
  /** Reads nothing after the answer's first bytes. */
  deaf?: boolean;
}

const ANSWERED = /^HTTP\/1\.1 (\d+)/;

/** A client of an event stream on a socket of its own, which keeps everything it is told. */
export class Stream {
  readonly events: Received[] = [];
  readonly comments: string[] = [];
  readonly retries: number[] = [];
  head = '';
  /** What came instead of a stream. */
  body = '';
  closed = false;
  readonly #socket: Socket;
  #text = '';
  #deaf: boolean;
  #changed: (() => void)[] = [];

  constructor(url: string, path: string, options: StreamOptions = {}) {
    const { hostname, port } = new URL(url);
    this.#deaf = options.deaf ?? false;
    this.#socket = connect(Number(port), hostname);
    const headers = { Host: `${hostname}:${port}`, Accept: 'text/event-stream', ...options.headers };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`${options.method ?? 'GET'} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text) => {
      this.#take(String(text));
      if (this.#deaf) this.#socket.pause();
    });
    this.#socket.on('error', () => this.#close());
    this.#socket.on('close', () => this.#close());
  }

  get status(): number {
    return Number(ANSWERED.exec(this.head)?.[1] ?? 0);
  }

  get ids(): string[] {
    return this.events.map(({ id }) => id);
  }

  get names(): string[] {
    return this.events.map(({ name }) => name);
  }

  /** Resolves when the condition holds; rejects when the stream has ended before. */
  async until(condition: () => boolean): Promise<this> {
    while (!condition()) {
      if (this.closed) throw new Error(`the stream ended: ${this.head}${this.body} ${this.names.join()}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
    return this;
  }

  /** Resolves when it has got so many events, `open` among them. */
  count(events: number): Promise<this> {
    return this.until(() => this.events.length >= events);
  }

  async end(): Promise<this> {
    while (!this.closed) await new Promise<void>((resolve) => this.#changed.push(resolve));
    return this;
  }

  async reset(): Promise<this> {
    this.#socket.resetAndDestroy();
    return this.end();
  }

  listen(): void {
    this.#deaf = false;
    this.#socket.resume();
  }

  #close(): void {
    this.closed = true;
    this.#tell();
  }

  #take(text: string): void {
    this.#text += text;
    if (this.head === '') {
      const end = this.#text.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 4);
    }
    if (/content-type: text\/event-stream/i.test(this.head)) this.#parse();
    else this.body = this.#text;
    this.#tell();
  }

  #parse(): void {
    const blocks = this.#text.split('\n\n');
    this.#text = blocks.pop() as string;
    for (const block of blocks) this.#block(block);
  }

  #block(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments.push(line.slice(1).trim());
      const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) fields.set(name, value);
    }
    const retry = fields.get('retry');
    if (retry !== undefined) this.retries.push(Number(retry));
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({ id: fields.get('id') ?? '', name: fields.get('event') ?? '', data: JSON.parse(data) });
  }

  #tell(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const resolve of waiting) resolve();
  }
}

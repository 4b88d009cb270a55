import { type HttpServer, startHttpServer } from '../../../src/daemon/http/server.js';
import { Framer } from '../../../src/daemon/sse/frames.js';
import { SseHub, type SseLimits } from '../../../src/daemon/sse/hub.js';
import { systemClock } from '../../../src/lib/clock.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { LogFollower } from '../../../src/lib/ledger/follower.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { eventId } from '../../../src/lib/stream/position.js';
import type { FeedSource } from '../../../src/lib/stream/teller.js';
import { EXAMPLES, observation } from '../../lib/ledger/examples.js';
import { Stream, type StreamOptions } from './stream.js';

/** What a hub needs of a log. */
export type Log = FeedSource & Pick<Ledger, 'onCommit' | 'dataVersion'>;

/** A hub behind the daemon's server, and the streams that a test opens on it. */
export class Daemon {
  readonly errors: unknown[] = [];
  readonly #streams: Stream[] = [];

  private constructor(
    readonly hub: SseHub,
    private readonly server: HttpServer,
  ) {}

  static async start(ledger: Log, limits: Partial<SseLimits> = {}): Promise<Daemon> {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const clock = systemClock();
    const hub = new SseHub({ ledger, follower: new LogFollower(ledger, clock), clock, limits, onError });
    await hub.start();
    const server = await startHttpServer({ routes: [hub.route], host: '127.0.0.1', port: 0, onError });
    const daemon = new Daemon(hub, server);
    daemon.errors.push(...errors);
    return daemon;
  }

  get url(): string {
    return this.server.url;
  }

  open(query: string, options: StreamOptions = {}): Stream {
    const stream = new Stream(this.server.url, `/sse${query}`, options);
    this.#streams.push(stream);
    return stream;
  }

  /** Open and told so. */
  async follow(...topics: string[]): Promise<Stream> {
    return this.open(`?${topics.map((topic) => `topic=${topic}`).join('&')}`).count(1);
  }

  async stop(): Promise<void> {
    await this.hub.stop();
    for (const stream of this.#streams) await stream.reset();
    await this.server.close(0);
  }
}

/** Runs `test` with a daemon that is stopped afterwards. */
export async function withDaemon(
  ledger: Log,
  test: (daemon: Daemon) => Promise<void>,
  limits: Partial<SseLimits> = {},
): Promise<void> {
  const daemon = await Daemon.start(ledger, limits);
  try {
    await test(daemon);
  } finally {
    await daemon.stop();
  }
}

/** The example of a kind, about `subject`. */
export function draft(kind: EventDraft['kind'], subject: string): EventDraft {
  const found = EXAMPLES.find((event) => event.kind === kind);
  if (!found) throw new Error(`no example of ${kind}`);
  return { ...found, subject } as EventDraft;
}

export async function happened(ledger: Ledger, subject: string, ...kinds: EventDraft['kind'][]): Promise<void> {
  for (const kind of kinds) await ledger.commit({ events: [draft(kind, subject)] });
}

export async function looked(ledger: Ledger, canaryId: string, tick: number): Promise<void> {
  await ledger.commit({ observations: [{ canaryId, observation: observation(tick) }] });
}

/** Ids of everything that is in the log for these topics, in order. */
export async function idsIn(ledger: Ledger, topics: readonly string[]): Promise<string[]> {
  const items = await ledger.feed({ seq: 0, row: 1 }, 1_000_000);
  const framer = new Framer(ledger);
  const frames = await framer.frames(items);
  const log = await framer.log();
  return frames.flatMap((frame) =>
    frame?.topics.some((topic) => topics.includes(topic)) ? [eventId(frame.position, log)] : [],
  );
}

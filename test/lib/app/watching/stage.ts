import { mkdtemp, rename, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actionRoutes } from '../../../../src/daemon/api/actions.js';
import { viewRoutes } from '../../../../src/daemon/api/views.js';
import { EvidenceRoute } from '../../../../src/daemon/evidence.js';
import type { Route } from '../../../../src/daemon/http/route.js';
import { type HttpServer, startHttpServer } from '../../../../src/daemon/http/server.js';
import { Framer } from '../../../../src/daemon/sse/frames.js';
import { SseHub } from '../../../../src/daemon/sse/hub.js';
import { type App, openApp } from '../../../../src/lib/app/app.js';
import { type Config, loadConfig } from '../../../../src/lib/app/config.js';
import { DaemonClient } from '../../../../src/lib/app/watching/daemon.js';
import { LocalWatching } from '../../../../src/lib/app/watching/local.js';
import { RemoteWatching } from '../../../../src/lib/app/watching/remote.js';
import type { Watching } from '../../../../src/lib/app/watching/watching.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { Judging } from '../../../../src/lib/stream/judging.js';
import { eventId } from '../../../../src/lib/stream/position.js';
import type { Told } from '../../../../src/lib/view/told.js';

/** Of the daemon. */
export const KEY = 'a-key-of-some-length';

export type Kind = 'the log itself' | 'a daemon';

/** A log that is written by somebody, and somebody who watches it. */
export interface Stage {
  readonly config: Config;
  /** What writes the log. */
  readonly ledger: Ledger;
  readonly watching: Watching;
  /** What the watcher was told. */
  readonly told: Told[];
  /** States of the connection since there was one, in order, as they were told of. */
  readonly states: string[];
  /** Watches until the stage is closed. */
  follow(): void;
  /** What `follow` ended with. */
  readonly ended: Promise<void>;
  /** What stands between the log and the watcher stops, `meanwhile` happens, and it starts again. */
  restart(meanwhile: () => Promise<void>): Promise<void>;
  /** The watcher hears nothing, `meanwhile` happens, and it hears again. */
  cut(meanwhile: () => Promise<void>): Promise<void>;
  /** Another log takes the place of this one; `fill` writes it. */
  replace(fill: (ledger: Ledger) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Bytes between a watcher and a daemon, which can be cut. */
class Wire {
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  port = 0;

  constructor(private readonly to: () => number) {}

  async up(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.to(), '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket
          .on('error', () => undefined)
          .on('close', () => {
            near.destroy();
            far.destroy();
            this.#sockets.delete(socket);
          });
      }
      near.pipe(far).pipe(near);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as { port: number }).port;
  }

  async down(): Promise<void> {
    const server = this.#server!;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** The routes that a watcher asks, of a daemon that drives nothing. */
class Half {
  #app: App | null = null;
  #hub: SseHub | null = null;
  #server: HttpServer | null = null;

  constructor(private readonly config: Config) {}

  get port(): number {
    return Number(new URL(this.#server!.url).port);
  }

  async up(port: number): Promise<void> {
    const app = await openApp({ config: this.config });
    const { ledger, follower, clock } = app;
    const judging = new Judging(ledger);
    const hub = new SseHub({ ledger, follower, clock, judging, limits: { heartbeatMs: 50 } });
    await hub.start();
    const evidence = new EvidenceRoute({
      app,
      version: '1.2.3',
      onFailure: () => undefined,
      onUnrecorded: () => undefined,
    });
    const routes: Route[] = [
      hub.route,
      evidence.route,
      ...viewRoutes({ app, judging }),
      ...actionRoutes({ app, readOnly: false, onChanged: () => undefined }),
    ];
    const { apiKeys } = this.config.serve;
    this.#server = await startHttpServer({ routes, host: '127.0.0.1', port, apiKeys, onError: () => undefined });
    this.#app = app;
    this.#hub = hub;
  }

  async down(): Promise<void> {
    await this.#hub?.stop();
    await this.#server?.close(0);
    await this.#app?.close();
  }
}

export async function stage(
  kind: Kind,
  before: (ledger: Ledger) => Promise<void> = async () => undefined,
): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'lukhas-watching-'));
  const env = { HOME: dir, LUKHAS_MCP_DB: join(dir, 'log.db'), LUKHAS_MCP_API_KEYS: KEY };
  const config = await loadConfig({ env, cwd: dir });
  let ledger = await openLedger(config.dbPath);
  await before(ledger);
  const daemon = new Half(config);
  const wire = new Wire(() => daemon.port);
  if (kind === 'a daemon') {
    await daemon.up(0);
    await wire.up();
  }
  const watching =
    kind === 'a daemon'
      ? new RemoteWatching({
          daemon: new DaemonClient(`http://127.0.0.1:${wire.port}`, KEY),
          silenceMs: 60_000,
          retryMs: { first: 20, longest: 50 },
        })
      : await LocalWatching.open({ config, version: '1.2.3' });
  const end = new AbortController();
  const [told, states]: [Told[], string[]] = [[], []];
  let ended: Promise<void> = Promise.resolve();
  const away = async (file: string, to: string): Promise<void> => {
    for (const suffix of ['', '-wal', '-shm'])
      await rename(`${file}${suffix}`, `${to}${suffix}`).catch(() => undefined);
  };
  return {
    config,
    get ledger() {
      return ledger;
    },
    watching,
    told,
    states,
    get ended() {
      return ended;
    },
    follow() {
      ended = watching.follow((events) => {
        told.push(...events);
        const { state } = watching.connection;
        if (state !== 'connecting' && states.at(-1) !== state) states.push(state);
      }, end.signal);
      ended.catch(() => undefined);
    },
    async restart(meanwhile) {
      if (kind === 'a daemon') await daemon.down();
      else await ledger.close();
      if (kind === 'the log itself') ledger = await openLedger(config.dbPath);
      await meanwhile();
      if (kind === 'a daemon') await daemon.up(0);
    },
    async cut(meanwhile) {
      if (kind === 'a daemon') await wire.down();
      else {
        // Moved, and put back as it was with what has been written meanwhile.
        await ledger.close();
        await away(config.dbPath, `${config.dbPath}.elsewhere`);
        ledger = await openLedger(`${config.dbPath}.elsewhere`);
      }
      await meanwhile();
      if (kind === 'a daemon') await wire.up();
      else {
        await ledger.close();
        await away(`${config.dbPath}.elsewhere`, config.dbPath);
        ledger = await openLedger(config.dbPath);
      }
    },
    async replace(fill) {
      if (kind === 'a daemon') await daemon.down();
      await ledger.close();
      await away(config.dbPath, `${config.dbPath}.old`);
      ledger = await openLedger(config.dbPath);
      await fill(ledger);
      if (kind === 'a daemon') await daemon.up(0);
    },
    async close() {
      end.abort();
      await ended.catch(() => undefined);
      await watching.close();
      if (kind === 'a daemon') {
        await wire.down();
        await daemon.down();
      }
      await ledger.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Ids of all that the stream tells of a log, in order. */
export async function idsIn(ledger: Ledger): Promise<string[]> {
  const items = await ledger.feed({ seq: 0, row: 1 }, 1_000_000);
  const framer = new Framer(ledger);
  const frames = await framer.frames(items);
  const log = await framer.log();
  return frames.flatMap((frame) => (frame === null ? [] : [eventId(frame.position, log)]));
}

import type { App, ServeSettings } from '../lib/app/index.js';
import { authOf, initKeys, policyOfFile } from '../lib/app/index.js';
import { reachable } from '../lib/metrics/index.js';
import { actionRoutes, choiceRoutes, logRoutes, sessionRoutes, startRoutes, viewRoutes } from './api/index.js';
import { cockpitRoutes } from './cockpit/index.js';
import { DescriptorWatch } from './descriptors.js';
import { Drivers } from './drivers.js';
import { ErrorThrottle } from './error-throttle.js';
import { EvidenceRoute } from './evidence.js';
import { healthRoutes } from './health.js';
import { ApiKeys, type HttpServer, RateLimiter, Sessions, startHttpServer } from './http/index.js';
import { createLukhasServer, createMcpEndpoint, ResourceUpdates, serveStdio } from './mcp/index.js';
import { parseToolsets } from './mcp/tools/catalogue.js';
import { DaemonMetrics } from './metrics.js';
import { preload } from './preload.js';
import { Readiness } from './readiness.js';
import { Service } from './service.js';
import { SSE_LIMITS, SseHub } from './sse/index.js';

export interface DaemonOptions {
  app: App;
  /** Of lukhas. */
  version: string;
  /** Where to listen; null: serve one client over standard input and output. */
  http: ServeSettings | null;
  /** Offer only tools that change nothing. */
  readOnly: boolean;
  /** Names of toolsets, comma-separated; all when left out. */
  toolsets?: string | undefined;
  /** One line for standard error. */
  say(line: string): void;
}

export interface Daemon {
  /** Without a slash at the end; null without HTTP. */
  url: string | null;
  /** Resolves when it cannot go on: the stdio client has disconnected (null), or a part of it has failed. */
  ended: Promise<Error | null>;
  /** Stops accepting requests, and waits for running requests and canary checks. */
  stop(): Promise<void>;
}

/** Newest supported version of the protocol; the package's constant names the newest one with `initialize`. */
const MCP_VERSION = '2026-07-28';
/** How long running requests may take while stopping. */
const GRACE_MS = 10_000;
const SOURCE_PROBE_MS = 1_500;
/** How many of the connections may be event streams: 12,000 of 13,000. */
const STREAMS = 12 / 13;

type Cleanup = () => Promise<void> | void;

/**
 * Starts all parts of `lukhas serve` on one open application, which the caller closes after `stop`.
 * @throws LukhasError LISTEN, CONFIG, POLICY (the configured file), USAGE (toolsets), LEDGER_*; then nothing keeps running
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = new RunningDaemon(options);
  try {
    await daemon.start();
    return daemon;
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

class RunningDaemon implements Daemon {
  url: string | null = null;
  readonly ended: Promise<Error | null>;
  readonly #options: DaemonOptions;
  readonly #errors: ErrorThrottle;
  readonly #drivers: Drivers;
  readonly #service: Service;
  #metrics: DaemonMetrics | null = null;
  /** Resolves `ended`. */
  #end: () => void = () => undefined;
  readonly #cleanups: Cleanup[] = [];
  #driving = false;
  #stopped: Promise<void> | null = null;

  constructor(options: DaemonOptions) {
    const { app, say } = options;
    this.#options = options;
    this.#errors = new ErrorThrottle(app.clock, say);
    const onError = (error: unknown, what?: string): void => this.#failed(error, what);
    this.#drivers = new Drivers({ app, onError, onTick: (tick) => this.#metrics?.onTick(tick) });
    this.#service = new Service(app, {
      onStarted: () => this.#drivers.noticeCanary(),
      onVerified: ({ ok }) => {
        if (!ok) this.#metrics?.onVerificationFailed();
      },
      onError,
    });
    const over = new Promise<null>((resolve) => {
      this.#end = () => resolve(null);
    });
    this.ended = Promise.race([over, this.#drivers.failed]);
  }

  async start(): Promise<void> {
    const { http, app } = this.#options;
    if (app.config.policyPath !== null) await policyOfFile(app.config.policyPath);
    await preload();
    // First, so that a port that cannot be used is reported before anything is driven.
    const descriptors = this.#watchDescriptors(http);
    const maxConnections = descriptors.begin(http !== null);
    if (http === null) await this.#openStdio();
    else {
      const server = await this.#openHttp({ ...http, maxConnections });
      descriptors.watch(server);
      this.url = server.url;
    }
    if (http !== null && !this.#options.readOnly) await this.#makeKeys();
    this.#cleanups.push(() => this.#drivers.stop());
    this.#drivers.start();
    this.#driving = true;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    // Answers calls that wait for a change, so that they end sooner.
    this.#service.close();
    // All at the same time: streams and waiting requests keep the server open.
    const outcomes = await Promise.allSettled(this.#cleanups.map(async (cleanup) => cleanup()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') this.#errors.report(outcome.reason);
    if (this.#driving) await this.#drivers.close();
  }

  #newServer() {
    const { version, readOnly, toolsets, app } = this.#options;
    return createLukhasServer(this.#service, {
      version,
      publicUrl: app.config.serve.publicUrl,
      readOnly,
      ...(toolsets === undefined ? {} : { toolsets: parseToolsets(toolsets) }),
      onError: (error) => this.#failed(error, 'mcp'),
    });
  }

  #watchDescriptors(http: ServeSettings | null): DescriptorWatch {
    const { app, say } = this.#options;
    const watch = new DescriptorWatch({
      maxConnections: http?.maxConnections,
      concurrency: app.config.jobs.concurrency,
      say,
      onError: (error) => this.#failed(error, 'descriptors'),
    });
    this.#cleanups.push(() => watch.stop());
    return watch;
  }

  async #openStdio(): Promise<void> {
    const connection = await serveStdio(this.#service, {
      newServer: this.#newServer(),
      actor: this.#options.app.config.actor,
      onError: (error) => this.#failed(error, 'mcp'),
    });
    this.#cleanups.push(() => connection.close());
    void connection.finished.then(this.#end);
  }

  async #openHttp(settings: ServeSettings & { maxConnections: number }): Promise<HttpServer> {
    const { app, version } = this.#options;
    const failed = (what: string) => (error: unknown) => this.#failed(error, what);
    const { ledger, follower, clock } = app;
    // So that probes and other callers still get through when there are many streams.
    const streams = Math.max(1, Math.floor(settings.maxConnections * STREAMS));
    const limits = { clients: Math.min(SSE_LIMITS.clients, streams) };
    const { judging } = this.#service;
    const hub = new SseHub({ ledger, follower, clock, judging, limits, onError: failed('stream') });
    const mcp = createMcpEndpoint({
      newServer: this.#newServer(),
      updates: new ResourceUpdates(this.#service.changes, failed('mcp')),
      onError: failed('mcp'),
    });
    const evidence = this.#evidence();
    const sessions = new Sessions(clock);
    const about = { version, readOnly: this.#options.readOnly };
    const views = [
      ...viewRoutes({ app, judging }),
      ...logRoutes(app),
      ...sessionRoutes({ clock, keys: new ApiKeys(settings.apiKeys), sessions, ...about }),
      ...actionRoutes({ app, readOnly: this.#options.readOnly, onChanged: () => this.#drivers.noticeCanary() }),
      ...choiceRoutes({ app, service: this.#service }),
      ...startRoutes({ service: this.#service, clock, readOnly: this.#options.readOnly }),
      ...(await cockpitRoutes()),
    ];
    const routes = [mcp.route, hub.route, evidence.route, ...views, ...this.#health(hub)];
    const metrics = new DaemonMetrics({
      app,
      version,
      routes,
      sse: () => hub.stats(),
      witnessBehindSince: () => this.#drivers.witnessBehindSince,
    });
    this.#metrics = metrics;
    this.#cleanups.push(await this.#service.changes.subscribe((items) => metrics.take(items)));
    await metrics.begin();
    this.#cleanups.push(() => hub.stop());
    await hub.start();
    const { rateLimit } = settings;
    const server = await startHttpServer({
      ...settings,
      sessions,
      limiter: rateLimit && new RateLimiter(rateLimit, app.clock),
      routes: [...routes, metrics.route],
      onError: failed('http'),
      onAnswered: (answered) => metrics.onAnswered(answered),
    });
    this.#cleanups.push(
      () => server.close(GRACE_MS),
      () => evidence.settled(),
      () => mcp.close(),
    );
    return server;
  }

  /** Creates missing signing keys. Without keys there are no evidence packs, but everything else works. */
  async #makeKeys(): Promise<void> {
    const { app, say } = this.#options;
    try {
      const made = (await initKeys(app.config)).filter(({ created }) => created).map(({ path }) => path);
      if (made.length > 0) say(`lukhas: created keys for signing evidence: ${made.join(', ')}`);
    } catch (error) {
      this.#failed(error, 'keys');
    }
  }

  #evidence(): EvidenceRoute {
    const { app, version } = this.#options;
    const onFailure = (error: unknown) => this.#errors.report(error, 'evidence export');
    return new EvidenceRoute({ app, version, onFailure, onUnrecorded: () => this.#metrics?.onUnrecordedExport() });
  }

  #health(hub: SseHub) {
    const { app, version } = this.#options;
    const { source } = app.config;
    const readiness = new Readiness({
      ledger: app.ledger,
      clock: app.clock,
      runner: () => this.#drivers.check(),
      source: () => reachable(source, authOf(app.config, source), SOURCE_PROBE_MS),
    });
    const about = () => ({ source: source.kind, sse: { clients: hub.stats().clients } });
    return healthRoutes({ app, readiness, version, mcpVersion: MCP_VERSION, startedAt: app.clock.now(), about });
  }

  #failed(error: unknown, what?: string): void {
    this.#metrics?.onError(error);
    this.#errors.report(error, what);
  }
}

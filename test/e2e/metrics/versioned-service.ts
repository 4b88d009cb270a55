import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** How one version of one service answers. */
export interface Behaviour {
  service: string;
  version: string;
  /** Share of requests that fail. */
  failing: number;
}

const EVERY_MS = 50;
const REQUESTS = 12;

/**
 * Services of two versions behind one metrics page, as prom-client writes it: the version is a label of the series, not of
 * the target; a status has no series before it first occurs.
 */
export class VersionedServices {
  private readonly registry = new Registry();
  private readonly seconds: Histogram;
  private readonly finished: Counter;
  private readonly timer: NodeJS.Timeout;
  private readonly server: Server;
  private sent = 0;

  private constructor(private readonly behaviours: readonly Behaviour[]) {
    collectDefaultMetrics({ register: this.registry });
    this.seconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Duration of requests',
      labelNames: ['service', 'version', 'handler', 'status'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1],
      registers: [this.registry],
    });
    this.finished = new Counter({
      name: 'finished_total',
      help: 'Finished requests',
      labelNames: ['service', 'version', 'reason'],
      registers: [this.registry],
    });
    this.timer = setInterval(() => this.serve(), EVERY_MS);
    this.server = createServer((_, response) => {
      void this.registry.metrics().then((page) => {
        response.writeHead(200, { 'content-type': this.registry.contentType }).end(page);
      });
    });
  }

  static async start(behaviours: readonly Behaviour[]): Promise<VersionedServices> {
    const services = new VersionedServices(behaviours);
    await new Promise<void>((resolve) => {
      services.server.listen(0, '127.0.0.1', resolve);
    });
    return services;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/metrics`;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  /** So many of each hundred fail, evenly spread; one in a hundred takes long. */
  private serve(): void {
    for (let i = 0; i < REQUESTS; i++) {
      const turn = (this.sent++ * 37) % 100;
      for (const { service, version, failing } of this.behaviours) {
        const status = turn < failing * 100 ? '500' : '200';
        const labels = { service, version };
        this.seconds.observe({ ...labels, handler: '/predict', status }, turn === 99 ? 0.4 : 0.03);
        // What the judged path must not count.
        this.seconds.observe({ ...labels, handler: '/health', status: '200' }, 0.001);
        this.finished.inc({ ...labels, reason: turn % 3 === 0 ? 'length' : 'stop' });
      }
    }
  }
}

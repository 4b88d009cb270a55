import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface ServiceOptions {
  version: string;
  perSecond: number;
  /** Share of requests that fail, 0..1. */
  failing: number;
  /** What its label `app` says; null: it has none. */
  app?: string | null;
}

/** A service as a person writes it, with prom-client and the names of its examples; it serves requests of itself. */
export class PromClientService {
  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly timer: NodeJS.Timeout,
  ) {}

  static async start({ version, perSecond, failing, app = 'fraud' }: ServiceOptions): Promise<PromClientService> {
    const register = new Registry();
    register.setDefaultLabels({ ...(app === null ? {} : { app }), version });
    collectDefaultMetrics({ register });
    const labelNames = ['method', 'route', 'status_code'];
    const duration = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Duration of HTTP requests in seconds',
      labelNames,
      registers: [register],
    });
    new Counter({ name: 'emails_sent_total', help: 'Mails', registers: [register] }).inc();
    new Gauge({ name: 'http_requests_in_progress', help: 'Requests', registers: [register] }).set(1);
    let served = 0;
    const began = Date.now();
    const timer = setInterval(() => {
      for (const due = ((Date.now() - began) / 1000) * perSecond; served < due; served += 1) {
        const fails = failing > 0 && served % Math.round(1 / failing) === 0;
        const seconds = 0.02 + ((served * 37) % 100) / 1000;
        duration.observe({ method: 'POST', route: '/predict', status_code: fails ? '500' : '200' }, seconds);
        if (served % 20 === 0) duration.observe({ method: 'GET', route: '/healthz', status_code: '200' }, 0.001);
      }
    }, 20);
    const server = createServer((_, response) => {
      void register.metrics().then((page) => response.setHeader('content-type', register.contentType).end(page));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return new PromClientService(`http://127.0.0.1:${port}/metrics`, server, timer);
  }

  stop(): void {
    clearInterval(this.timer);
    this.server.close();
    this.server.closeAllConnections();
  }
}

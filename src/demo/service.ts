/**
 * The demo's model service, a process of its own: `node service.js '{"release":"canary",...}'` (service-options.ts).
 * Listens on loopback only; prints `{"port":N}` when ready; ends on SIGTERM and when its parent goes away.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { openFeatureStore } from './feature-store.js';
import { type Payment, paymentSchema, score } from './model.js';
import { type ServiceOptions, serviceOptionsSchema } from './service-options.js';

const LATENCY_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5];
const SCORE_BUCKETS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const MAX_BODY_BYTES = 16_384;
const CRASH_EXIT_CODE = 1;

type Metrics = ReturnType<typeof createMetrics>;

/** Every series exists from the start: a counter that first appears at 1 hides that first event from `increase()`. */
function createMetrics(gate: string, model: string) {
  const registry = new Registry();
  const common = { labelNames: ['gate', 'model'] as const, registers: [registry] };
  const labels = { gate, model };
  const latency = new Histogram({
    ...common,
    name: 'model_latency',
    help: 'Time to answer a prediction, seconds.',
    buckets: LATENCY_BUCKETS_SECONDS,
  });
  const scores = new Histogram({
    ...common,
    name: 'model_score',
    help: 'Fraud scores given.',
    buckets: SCORE_BUCKETS,
  });
  const requests = new Counter({ ...common, name: 'model_requests_total', help: 'Predictions requested.' });
  const errors = new Counter({ ...common, name: 'model_errors_total', help: 'Predictions that failed.' });
  const inflight = new Gauge({ ...common, name: 'model_inflight_requests', help: 'Predictions in progress.' });
  latency.zero(labels);
  scores.zero(labels);
  requests.inc(labels, 0);
  errors.inc(labels, 0);
  inflight.set(labels, 0);
  return {
    registry,
    latency: latency.labels(labels),
    scores: scores.labels(labels),
    requests: requests.labels(labels),
    errors: errors.labels(labels),
    inflight: inflight.labels(labels),
  };
}

interface Service {
  metrics: Metrics;
  predict(payment: Payment): Promise<number>;
}

function createService(options: ServiceOptions): Service {
  let faultAt: number | null = null;
  const store = openFeatureStore({
    seed: options.seed,
    fault: options.fault,
    faulty: () => faultAt !== null && performance.now() >= faultAt,
  });
  const beginFaultClock = (): void => {
    faultAt = performance.now() + options.faultAfterSeconds * 1000;
    if (options.fault === 'crash') setTimeout(() => process.exit(CRASH_EXIT_CODE), options.faultAfterSeconds * 1000);
  };
  return {
    metrics: createMetrics(options.gate, options.model),
    async predict(payment) {
      if (faultAt === null) beginFaultClock();
      return score(options.release, await store.lookup(payment));
    },
  };
}

async function handle(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET' && request.url === '/metrics') {
    response.setHeader('content-type', service.metrics.registry.contentType);
    response.end(await service.metrics.registry.metrics());
    return;
  }
  if (request.method !== 'POST' || request.url !== '/predict') {
    sendJson(response, 404, { error: 'not found; use POST /predict or GET /metrics' });
    return;
  }
  const payment = readPayment(await readBody(request));
  if (payment === null) {
    // Not counted: nothing was predicted.
    const names = Object.keys(paymentSchema.shape).join(', ');
    sendJson(response, 400, { error: `not a valid payment; send a JSON object with these numbers: ${names}` });
    return;
  }
  await answer(service, payment, response);
}

/** Counts before it answers: a client that has its answer finds it in the metrics. */
async function answer(service: Service, payment: Payment, response: ServerResponse): Promise<void> {
  const { metrics } = service;
  const started = performance.now();
  metrics.inflight.inc();
  let status = 200;
  let body: object;
  try {
    const value = await service.predict(payment);
    metrics.scores.observe(value);
    body = { score: value };
  } catch (error) {
    metrics.errors.inc();
    status = 500;
    body = { error: messageOf(error) };
  }
  metrics.inflight.dec();
  metrics.requests.inc();
  metrics.latency.observe((performance.now() - started) / 1000);
  sendJson(response, status, body);
}

/** Null when the body is too long or not a valid payment. */
function readPayment(body: string | null): Payment | null {
  if (body === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return null;
  }
  return paymentSchema.safeParse(json).data ?? null;
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The parent decides when this process ends. Without a parent (started by hand) the usual signals do. */
function endWithParent(): void {
  if (process.connected === undefined) return;
  process.once('disconnect', () => process.exit(0));
  // The parent may have gone before this line was reached.
  if (!process.connected) process.exit(0);
  // Ctrl-C reaches the whole process group; the parent stops the traffic first, then this process.
  process.on('SIGINT', () => undefined);
}

function main(): void {
  endWithParent();
  process.once('SIGTERM', () => process.exit(0));
  const service = createService(serviceOptionsSchema.parse(JSON.parse(process.argv[2] ?? 'null')));
  const server = createServer((request, response) => {
    handle(service, request, response).catch((error: unknown) => {
      // The client may have closed the connection; then nobody reads this.
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: messageOf(error) });
    });
  });
  // Idle connections are the driver's to close: closing them here would race with its next request.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
  });
}

main();

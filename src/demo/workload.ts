import type { Fault } from './service-options.js';
import { type ServiceExit, type ServiceProcess, startService } from './service-process.js';
import { type ArmStats, startTraffic, type Traffic } from './traffic.js';

type Arm = 'canary' | 'baseline';

export interface WorkloadOptions {
  /** What goes wrong in the canary; the baseline stays healthy. */
  fault: Fault;
  /** Values of the `gate` and `model` labels. */
  canaryGate: string;
  baselineGate: string;
  models: Record<Arm, string>;
  /** Mean rate to each arm. */
  requestsPerSecond?: number;
  /** Seed of payments, arrivals, lookup times and faults. */
  seed?: number;
  /** From the canary's first request. */
  faultAfterSeconds?: number;
  /** Nothing is sent before `send` is called. */
  sendsLater?: boolean;
  /** Ends the workload as `stop` does; aborted during the start, `startWorkload` rejects with its reason. */
  signal?: AbortSignal;
}

export interface Workload {
  /** Metrics pages to scrape, `http://127.0.0.1:N/metrics`. */
  canaryUrl: string;
  baselineUrl: string;
  pids: Record<Arm, number>;
  /** Begins to send, if it was told to wait for that. */
  send(): void;
  /** Requests sent and answered so far. */
  stats(): Record<Arm, ArmStats>;
  /** The first service that ended by itself; null when the workload was stopped first. */
  exited: Promise<({ arm: Arm } & ServiceExit) | null>;
  /** Ends the traffic, then the services, and waits for both; may be called again. */
  stop(): Promise<void>;
}

const DEFAULT_REQUESTS_PER_SECOND = 120;
const DEFAULT_SEED = 1;
const DEFAULT_FAULT_AFTER_SECONDS = 4;
const NOTHING_SENT: Readonly<ArmStats> = { sent: 0, ok: 0, failed: 0 };

/**
 * Starts two versions of the model service on loopback, each a process of its own, and sends traffic to both.
 * @throws LukhasError DEMO when a service does not start; nothing is left running then.
 */
export async function startWorkload(options: WorkloadOptions): Promise<Workload> {
  const services = await startServices(options);
  let traffic: Traffic<Arm> | null = null;
  let stopping: Promise<void> | null = null;
  const send = (): void => {
    if (stopping !== null) return;
    traffic ??= startTraffic<Arm>({
      targets: { canary: services.canary.url, baseline: services.baseline.url },
      requestsPerSecond: options.requestsPerSecond ?? DEFAULT_REQUESTS_PER_SECOND,
      seed: options.seed ?? DEFAULT_SEED,
    });
  };
  if (options.sendsLater !== true) send();
  const stop = (): Promise<void> => {
    options.signal?.removeEventListener('abort', onAbort);
    stopping ??= stopAll(traffic, services);
    return stopping;
  };
  const onAbort = (): void => void stop();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const exited = Promise.race([tagExit('canary', services), tagExit('baseline', services)]).then((exit) =>
    stopping === null ? exit : null,
  );
  return {
    canaryUrl: `${services.canary.url}/metrics`,
    baselineUrl: `${services.baseline.url}/metrics`,
    pids: { canary: services.canary.pid, baseline: services.baseline.pid },
    send,
    stats: () => traffic?.stats() ?? { canary: { ...NOTHING_SENT }, baseline: { ...NOTHING_SENT } },
    exited,
    stop,
  };
}

type Services = Record<Arm, ServiceProcess>;

/** Both or none: when one fails or the start is aborted, the other is stopped before the error goes on. */
async function startServices(options: WorkloadOptions): Promise<Services> {
  const seed = options.seed ?? DEFAULT_SEED;
  const shared = { faultAfterSeconds: options.faultAfterSeconds ?? DEFAULT_FAULT_AFTER_SECONDS };
  const [canary, baseline] = await Promise.allSettled([
    startService(
      {
        ...shared,
        release: 'canary',
        gate: options.canaryGate,
        model: options.models.canary,
        seed: seed * 2 + 1,
        fault: options.fault,
      },
      options.signal,
    ),
    startService(
      {
        ...shared,
        release: 'baseline',
        gate: options.baselineGate,
        model: options.models.baseline,
        seed: seed * 2,
        fault: 'none',
      },
      options.signal,
    ),
  ]);
  const started = [canary, baseline].flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (canary.status === 'fulfilled' && baseline.status === 'fulfilled' && !options.signal?.aborted) {
    return { canary: canary.value, baseline: baseline.value };
  }
  await Promise.all(started.map((service) => service.stop()));
  options.signal?.throwIfAborted();
  throw canary.status === 'rejected' ? canary.reason : (baseline as PromiseRejectedResult).reason;
}

async function tagExit(arm: Arm, services: Services): Promise<{ arm: Arm } & ServiceExit> {
  return { arm, ...(await services[arm].exited) };
}

async function stopAll(traffic: Traffic<Arm> | null, services: Services): Promise<void> {
  await traffic?.stop();
  await Promise.all([services.canary.stop(), services.baseline.stop()]);
}

import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { drawPayment } from './model.js';
import { exponential, seededRandom } from './random.js';

/** Requests of one arm: `sent` = `ok` + `failed` + those still unanswered. */
export interface ArmStats {
  sent: number;
  /** Answered with status 200. */
  ok: number;
  /** Answered with another status, refused, cut off, or timed out. */
  failed: number;
}

export interface Traffic<Arm extends string> {
  stats(): Record<Arm, ArmStats>;
  /** Sends nothing more and resolves when every request sent is answered or has failed. May be called again. */
  stop(): Promise<void>;
}

interface TrafficOptions<Arm extends string> {
  /** Base URL of each arm's service, e.g. `http://127.0.0.1:40123`. */
  targets: Record<Arm, string>;
  /** Mean rate to each arm. */
  requestsPerSecond: number;
  seed: number;
}

const REQUEST_TIMEOUT_MS = 5_000;
const MAX_SOCKETS_PER_ARM = 256;
/** Limits the burst after this process was paused, for example on a suspended laptop: older arrivals are skipped. */
const MAX_BACKLOG_MS = 1_000;

/**
 * Open-loop load: requests arrive as a Poisson process whether or not earlier ones were answered, so a slow service
 * gets the load that real users would send. Payments of all arms have one distribution; the n-th payment of an arm is
 * the same in every run of a seed.
 */
export function startTraffic<Arm extends string>(options: TrafficOptions<Arm>): Traffic<Arm> {
  const arms = (Object.keys(options.targets) as Arm[]).map(
    (arm) => [arm, driveArm(arm, options.targets[arm], options)] as const,
  );
  return {
    stats: () => Object.fromEntries(arms.map(([arm, driver]) => [arm, driver.stats()])) as Record<Arm, ArmStats>,
    stop: async () => {
      await Promise.all(arms.map(([, driver]) => driver.stop()));
    },
  };
}

interface ArmDriver {
  stats(): ArmStats;
  stop(): Promise<void>;
}

function driveArm(arm: string, target: string, options: { requestsPerSecond: number; seed: number }): ArmDriver {
  const gaps = seededRandom(options.seed, `arrivals ${arm}`);
  const payments = seededRandom(options.seed, `payments ${arm}`);
  const meanGapMs = 1000 / options.requestsPerSecond;
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS_PER_ARM, timeout: REQUEST_TIMEOUT_MS });
  const count: ArmStats = { sent: 0, ok: 0, failed: 0 };
  let drained: (() => void) | null = null;
  let stopping: Promise<void> | null = null;
  let timer: NodeJS.Timeout;

  const finish = (ok: boolean): void => {
    if (ok) count.ok += 1;
    else count.failed += 1;
    if (count.ok + count.failed === count.sent) drained?.();
  };
  const arrive = (): void => {
    count.sent += 1;
    post(agent, `${target}/predict`, JSON.stringify(drawPayment(payments)), finish);
  };
  let due = performance.now() + exponential(gaps, meanGapMs);
  const tick = (): void => {
    const now = performance.now();
    due = Math.max(due, now - MAX_BACKLOG_MS);
    for (; due <= now; due += exponential(gaps, meanGapMs)) arrive();
    timer = setTimeout(tick, Math.max(0, due - now));
  };
  timer = setTimeout(tick, Math.max(0, due - performance.now()));

  const drain = async (): Promise<void> => {
    clearTimeout(timer);
    if (count.ok + count.failed < count.sent) {
      await new Promise<void>((resolve) => {
        drained = resolve;
      });
    }
    agent.destroy();
  };
  return {
    stats: () => ({ ...count }),
    stop: () => {
      stopping ??= drain();
      return stopping;
    },
  };
}

/** Calls `finish` exactly once. */
function post(agent: Agent, url: string, body: string, finish: (ok: boolean) => void): void {
  let open = true;
  const settle = (ok: boolean): void => {
    if (!open) return;
    open = false;
    finish(ok);
  };
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const outgoing = request(url, { agent, method: 'POST', headers }, (response) => {
    response.once('end', () => settle(response.statusCode === 200));
    response.once('error', () => settle(false));
    response.resume();
  });
  outgoing.once('timeout', () => outgoing.destroy());
  outgoing.on('error', () => settle(false));
  outgoing.once('close', () => settle(false));
  outgoing.end(body);
}

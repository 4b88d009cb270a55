import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Canaries } from '../src/lib/canary/canaries.js';
import { loadCanary } from '../src/lib/canary/load.js';
import { Runner } from '../src/lib/canary/runner.js';
import { nextDue } from '../src/lib/canary/schedule.js';
import { systemClock } from '../src/lib/clock.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { LogFollower } from '../src/lib/ledger/follower.js';
import type { Ledger } from '../src/lib/ledger/ledger.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { openSource } from '../src/lib/metrics/open.js';
import { BY_GATE, DEFAULT_SIGNALS } from '../src/lib/metrics/signals/index.js';
import type { SourceDescriptor } from '../src/lib/metrics/source.js';

/** What one round tells; times in milliseconds. */
export interface RoundResult {
  canaries: number;
  ticks: number;
  /** Looks taken more than an interval after they were due, and looks without counts. */
  late: number;
  withoutData: number;
  lateness: { p50: number; p99: number; max: number };
  /** From the moment a look was due until it was on disk. */
  recorded: { p50: number; p99: number; max: number };
  cpuPerTick: number;
  requestsPerTick: number;
  bytes: number;
  /** CPU of fetching and parsing one answer of the same size. */
  floor: number;
  rssMiB: number;
}

interface RoundOptions {
  canaries: number;
  intervalSeconds: number;
  seconds: number;
  port: number;
}

const WARM_UP = { canaries: 100, intervalSeconds: 1, seconds: 12 };
const FLOOR_ROUNDS = 2000;

/** One round in a process of its own: `CANARIES SECONDS PORT`. Prints a RoundResult as JSON. */
export async function run(args: readonly string[]): Promise<void> {
  const [canaries = 10, seconds = 60, port = 0] = args.map(Number);
  // Compiled code first, or few canaries would look dearer than many.
  await drive({ ...WARM_UP, port });
  const result = await drive({ canaries, seconds, port, intervalSeconds: 5 });
  const { bytes, floor } = await measureFloor(port);
  process.stdout.write(`${JSON.stringify({ ...result, bytes, floor })}\n`);
}

async function drive(options: RoundOptions): Promise<Omit<RoundResult, 'bytes' | 'floor'>> {
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  const ledger = await openLedger(join(folder, 'ledger.db'));
  try {
    return await measure(ledger, await startAll(ledger, options), options);
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every canary of another model, on gates of its own: no two ask the same. */
async function startAll(ledger: Ledger, { canaries, intervalSeconds, port }: RoundOptions): Promise<string[]> {
  const verbs = new Canaries(ledger, systemClock());
  const policy = parsePolicy({
    windowSeconds: 3600,
    intervalSeconds,
    targets: { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 },
  });
  const source: SourceDescriptor = {
    kind: 'prometheus',
    url: `http://127.0.0.1:${port}`,
    arms: BY_GATE,
    signals: DEFAULT_SIGNALS,
    queries: {},
    timeoutMs: 5000,
    staleSeconds: 90,
  };
  const started = Array.from({ length: canaries }, (_, i) =>
    verbs.start({
      modelId: `model-${i}`,
      fromGate: `stage-${i}`,
      toGate: `production-${i}`,
      policy,
      source,
      dryRun: true,
      by: { who: 'bench', how: 'lukhas' },
    }),
  );
  return (await Promise.all(started)).map(({ id }) => id);
}

async function measure(
  ledger: Ledger,
  ids: readonly string[],
  { canaries, seconds, port }: RoundOptions,
): Promise<Omit<RoundResult, 'bytes' | 'floor'>> {
  const clock = systemClock();
  const stop = new AbortController();
  const recordedAt = new Map<string, number[]>(ids.map((id) => [id, []]));
  let begun: { at: number; cpu: NodeJS.CpuUsage; requests: number } | null = null;
  let ticks = 0;
  let first = 0;
  const runner = new Runner({
    ledger,
    follower: new LogFollower(ledger, clock),
    clock,
    hooks: { promote: [], rollback: [] },
    env: {},
    openSource: (descriptor) => openSource(descriptor, {}, clock.now),
    onTick: ({ session, observation }) => {
      recordedAt.get(session.canary.id)?.push(clock.now());
      ticks++;
      if (observation.tick === 0) first++;
    },
    onError: (_, error) => {
      throw error;
    },
  });
  const running = runner.driveAll(stop.signal);
  while (first < canaries) await clock.sleep(50);
  begun = { at: clock.now(), cpu: process.cpuUsage(), requests: await requestCount(port) };
  ticks = 0;
  await Promise.race([running, clock.sleep(seconds * 1000)]);
  const { user, system } = process.cpuUsage(begun.cpu);
  const done = ticks;
  const requests = (await requestCount(port)) - begun.requests;
  const rssMiB = process.memoryUsage().rss / 2 ** 20;
  stop.abort();
  await running;
  await runner.close();
  return {
    canaries,
    ticks: done,
    ...(await lateness(ledger, recordedAt)),
    cpuPerTick: (user + system) / 1000 / done,
    requestsPerTick: requests / done,
    rssMiB,
  };
}

async function lateness(ledger: Ledger, recordedAt: ReadonlyMap<string, readonly number[]>) {
  const looked: number[] = [];
  const recorded: number[] = [];
  let [late, withoutData] = [0, 0];
  for (const [id, times] of recordedAt) {
    const { policy, startedAt } = await loadCanary(ledger, id);
    let last: number | null = null;
    for (const { t, tick, canary } of await ledger.observations(id)) {
      if (last !== null && startedAt !== null) {
        const due = nextDue(policy, startedAt, last);
        looked.push(t - due);
        recorded.push((times[tick] ?? Number.POSITIVE_INFINITY) - due);
        if (t - due > policy.intervalSeconds * 1000) late++;
        if (canary.errors?.state !== 'ok' && canary.errors?.state !== 'unchanged') withoutData++;
      }
      last = t;
    }
  }
  return { late, withoutData, lateness: quantiles(looked), recorded: quantiles(recorded) };
}

function quantiles(values: number[]): { p50: number; p99: number; max: number } {
  values.sort((a, b) => a - b);
  const at = (q: number) => values[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function requestCount(port: number): Promise<number> {
  return (JSON.parse(await getBody(`http://127.0.0.1:${port}/requests`)) as { requests: number }).requests;
}

/** CPU of fetching one answer over a kept connection and parsing it, and its size. */
async function measureFloor(port: number): Promise<{ bytes: number; floor: number }> {
  const names = ['model_latency_bucket', 'model_requests_total', 'model_errors_total', 'model_score_bucket'];
  const selector = `{__name__=~"${[...names, 'model_inflight_requests'].join('|')}",gate=~"stage-1|production-1"}[60s]`;
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(selector)}`;
  const agent = new Agent({ keepAlive: true });
  let bytes = 0;
  let cpu = process.cpuUsage();
  for (let i = -200; i < FLOOR_ROUNDS; i++) {
    if (i === 0) cpu = process.cpuUsage();
    const body = await getBody(url, agent);
    bytes = Buffer.byteLength(body);
    JSON.parse(body);
  }
  const { user, system } = process.cpuUsage(cpu);
  agent.destroy();
  return { bytes, floor: (user + system) / 1000 / FLOOR_ROUNDS };
}

function getBody(url: string, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, agent ? { agent } : {}, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      response.on('error', reject);
    }).on('error', reject);
  });
}

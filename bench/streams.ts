import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Canaries } from '../src/lib/canary/canaries.js';
import { loadCanary } from '../src/lib/canary/load.js';
import { nextDue } from '../src/lib/canary/schedule.js';
import { systemClock } from '../src/lib/clock.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { BY_GATE, DEFAULT_SIGNALS } from '../src/lib/metrics/signals/index.js';
import { startDaemon } from './probes/daemon.js';
import type { Heard } from './streams-clients.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const INTERVAL_SECONDS = 1;
const IDLE_MS = 10;

interface Round {
  name: string;
  from: number;
  to: number;
  /** Processor time of the daemon, ms. */
  cpu: number;
  heard: Heard | null;
  /** How late a timer of this process was at most, which does nothing meanwhile, ms: what the machine does to everybody. */
  idle: number;
}

/**
 * The event streams of many pages beside many running canaries, checked once a second, in `lukhas serve` as it is shipped:
 * whether a check comes late, and whether each stream gets every event once. The same daemon without streams is the floor.
 * Options: `--streams 1000 --canaries 100 --seconds 20 --rounds 2`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      streams: { type: 'string', default: '1000' },
      canaries: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '2' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  const prometheus = child('scale-prometheus', []);
  const db = join(folder, 'log.db');
  let daemon: Awaited<ReturnType<typeof startDaemon>> | null = null;
  try {
    const [port] = (await once(createInterface({ input: prometheus.stdout! }), 'line')) as [string];
    const ids = await start(db, Number(values.canaries), Number(port));
    const running = await startDaemon(db, folder);
    daemon = running;
    await wait(5000);
    const rounds: Round[] = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      rounds.push(await round('no streams', running, () => wait(Number(values.seconds) * 1000, null)));
      rounds.push(
        await round(`${values.streams} streams`, running, () => follow(running.url, values.streams, values.seconds)),
      );
    }
    await running.stop();
    daemon = null;
    await print(db, ids, rounds);
  } finally {
    await daemon?.stop();
    prometheus.stdin?.end();
    await rm(folder, { recursive: true, force: true });
  }
}

function child(name: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', name, ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Every canary of another model, on gates of its own; what a daemon that starts takes over. */
async function start(db: string, count: number, port: number): Promise<string[]> {
  const ledger = await openLedger(db);
  const canaries = new Canaries(ledger, systemClock());
  const targets = { latency_p95_ms: 250, max_error_rate: 0.02, max_drift: 0.15 };
  const policy = parsePolicy({ windowSeconds: 3600, intervalSeconds: INTERVAL_SECONDS, targets });
  const url = `http://127.0.0.1:${port}`;
  const asked = { arms: BY_GATE, signals: DEFAULT_SIGNALS, queries: {}, timeoutMs: 5000, staleSeconds: 90 };
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const gates = { modelId: `model-${i}`, fromGate: `stage-${i}`, toGate: `production-${i}` };
    const source = { kind: 'prometheus', url, ...asked } as const;
    const by = { who: 'bench', how: 'lukhas' } as const;
    ids.push((await canaries.start({ ...gates, policy, source, dryRun: true, by })).id);
  }
  await ledger.close();
  return ids;
}

async function round(name: string, { pid }: { pid: number }, work: () => Promise<Heard | null>): Promise<Round> {
  const [from, before] = [Date.now(), cpuMs(pid)];
  let [idle, last] = [0, performance.now()];
  const timer = setInterval(() => {
    idle = Math.max(idle, performance.now() - last - IDLE_MS);
    last = performance.now();
  }, IDLE_MS);
  const heard = await work();
  clearInterval(timer);
  return { name, from, to: Date.now(), cpu: cpuMs(pid) - before, heard, idle };
}

/** Of a process, as Linux counts it: clock ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function follow(url: string, streams: string, seconds: string): Promise<Heard> {
  const clients = child('streams-clients', [url, streams, seconds]);
  const line = await Promise.race([
    once(createInterface({ input: clients.stdout! }), 'line').then(([text]) => text as string),
    once(clients, 'close').then(([code]) => Promise.reject(new Error(`the clients ended (${code}) without a result`))),
  ]);
  return JSON.parse(line) as Heard;
}

async function print(db: string, ids: readonly string[], rounds: readonly Round[]): Promise<void> {
  const ledger = await openLedger(db, { readOnly: true });
  const looks: { due: number; late: number }[] = [];
  for (const id of ids) {
    const { policy, startedAt } = await loadCanary(ledger, id);
    let last: number | null = null;
    for (const { t } of await ledger.observations(id)) {
      const due: number | null = last === null || startedAt === null ? null : nextDue(policy, startedAt, last);
      if (due !== null) looks.push({ due, late: t - due });
      last = t;
    }
  }
  await ledger.close();
  for (const { name, from, to, cpu, heard, idle } of rounds) {
    const late = looks
      .filter(({ due }) => due >= from && due < to)
      .map((look) => look.late)
      .sort((a, b) => a - b);
    const at = (q: number) =>
      `${(late[Math.min(late.length - 1, Math.floor(q * late.length))] ?? Number.NaN).toFixed(0)} ms`;
    const missed = late.filter((ms) => ms > INTERVAL_SECONDS * 1000).length;
    const each = `${late.length} checks: ${missed} late, after they were due p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`;
    console.log(
      `${name}: ${each}; a process that does nothing, longest ${idle.toFixed(0)} ms; daemon ${Math.round((cpu * 100) / (to - from))}% of a core`,
    );
    if (heard !== null)
      console.log(
        `  ${heard.least} to ${heard.most} events on each stream, ${heard.doubled} twice or out of order, ${heard.silent} streams silent; broken: ${JSON.stringify(heard.broken)}`,
      );
  }
}

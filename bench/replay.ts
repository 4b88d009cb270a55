import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ArmReading, Histogram, Observation } from '../src/lib/judge/observation.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { replayCanary } from '../src/lib/replay/canary-replay.js';
import { counterfactualPolicy } from '../src/lib/replay/change-policy.js';
import type { Recording } from '../src/lib/replay/recording.js';
import { sweep } from '../src/lib/replay/sweep.js';
import { parseAxis } from '../src/lib/replay/sweep-axes.js';
import { poisson, type Random, uniform } from './canaries/random.js';

const DAY_TICKS = 17_280;
const LATENCY_MS = [5, 10, 25, 50, 75, 100, 150, 250, 500, 1000, 2500, 5000];
const LATENCY_MEANS = [2, 8, 40, 90, 120, 100, 80, 45, 12, 2, 0.5, 0.2, 0.1];
const SCORES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const SCORE_MEANS = [20, 35, 50, 70, 85, 80, 65, 45, 30, 20];
const TARGETS = { latency_p95_ms: 500, max_error_rate: 0.02, max_drift: 0.15 };

/**
 * Cost of a replay. A canary of 30 days at 5 s, judged to its end under its own policy and under another, beside reading
 * and `JSON.parse` of its recorded observations; and a sweep of 100 policies over 1,000 canaries of two minutes, in one
 * thread and in two. Options: `--days 30`, `--canaries 1000`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { days: { type: 'string', default: '30' }, canaries: { type: 'string', default: '1000' } },
  });
  await month(Number(values.days));
  await sweeps(Number(values.canaries));
}

async function month(days: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-replay-'));
  const ledger = await openLedger(join(folder, 'log.db'));
  try {
    const ticks = days * DAY_TICKS;
    const samples = sampleArms(uniform(1), 5000);
    for (let tick = 1; tick <= ticks; tick += 2000) {
      const batch = Array.from({ length: Math.min(2000, ticks - tick + 1) }, (_, i) => at(tick + i, samples));
      await ledger.commit({ observations: batch.map((observation) => ({ canaryId: 'c-1', observation })) });
    }
    const own = parsePolicy({ windowSeconds: ticks * 5, intervalSeconds: 5, targets: TARGETS });
    const lines = () => ledger.observationLines('c-1');
    const recording: Recording = {
      canaryId: 'c-1',
      modelId: 'm',
      fromGate: 'stage',
      toGate: 'production',
      startedAt: 0,
      own,
      decided: null,
      undecided: 'not decided',
      overridden: null,
      lines,
    };
    const read = await cpuSeconds(async () => {
      for await (const line of lines()) JSON.parse(line);
    });
    const other = counterfactualPolicy(null, own, [{ path: 'targets.max_error_rate', value: 0.03 }]);
    let outcome = '';
    const replayed = await cpuSeconds(async () => {
      outcome = (await replayCanary(recording, other)).counterfactual.outcome;
    });
    const alone = await cpuSeconds(() => replayCanary({ ...recording, own: null }, other));
    const ratio = (s: number) => `${s.toFixed(2)} s, ${(s / read).toFixed(2)} times`;
    console.log(`${ticks} observations of one canary (${days} days at 5 s), p95, errors and drift against a baseline`);
    console.log(`  read and JSON.parse          ${read.toFixed(2)} s`);
    console.log(`  replayed, one policy         ${ratio(alone)} (goal: at most 3)`);
    console.log(`  replayed, own and other      ${ratio(replayed)}, ends in ${outcome}`);
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function sweeps(count: number): Promise<void> {
  const random = uniform(2);
  const own = parsePolicy({ windowSeconds: 120, intervalSeconds: 5, targets: TARGETS });
  const canaries = Array.from({ length: count }, (_, i) => {
    const samples = sampleArms(random, 24);
    const lines = Array.from({ length: 24 }, (_, t) => JSON.stringify(at(t + 1, samples)));
    const recording: Recording = {
      canaryId: `c-${i}`,
      modelId: 'm',
      fromGate: 'stage',
      toGate: 'production',
      startedAt: 0,
      own,
      decided: null,
      undecided: 'not decided',
      overridden: null,
      async *lines() {
        yield* lines;
      },
    };
    return { recording, outcome: 'insufficient' as const, count: lines.length };
  });
  const axes = [
    parseAxis('targets.max_error_rate=0.011:0.03:0.001'),
    parseAxis('targets.latency_p95_ms=250,400,500,750,1000'),
  ];
  const policies = axes.reduce((product, { values }) => product * values.length, 1);
  console.log(`sweep of ${policies} policies over ${count} canaries of 24 looks`);
  const answers: string[] = [];
  const takes: number[] = [];
  for (const threads of [0, 2]) {
    let taken = 0;
    const cpu = await cpuSeconds(async () => {
      const started = performance.now();
      answers.push(JSON.stringify(await sweep(canaries, { axes, given: null, settings: [], threads })));
      taken = (performance.now() - started) / 1000;
    });
    const where = threads === 0 ? 'in this thread' : `in ${threads} threads`;
    const busy = (cpu / taken).toFixed(2);
    console.log(
      `  ${where.padEnd(16)}${taken.toFixed(2)} s, ${cpu.toFixed(2)} s of processor time: ${busy} cores busy`,
    );
    takes.push(taken);
  }
  const [inline = 0, threaded = 1] = takes;
  console.log(
    `  two threads are ${(inline / threaded).toFixed(2)} times as fast (at most 2; fewer where others use the cores)`,
  );
  console.log(`  the same answer: ${answers[0] === answers[1] ? 'yes' : 'NO'}`);
}

/** Processor time of all threads: of one that never waits it is the time taken, whatever else the machine does. */
async function cpuSeconds(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

interface Arms {
  canary: ArmReading;
  baseline: ArmReading;
}

function sampleArms(random: Random, count: number): Arms[] {
  const histogram = (bounds: number[], means: readonly number[]): Histogram => ({
    state: 'ok',
    bounds,
    counts: means.map((mean) => poisson(mean)(random)),
  });
  const arm = (): ArmReading => ({
    errors: { state: 'ok', bad: poisson(3)(random), total: 500 },
    latency: histogram(LATENCY_MS, LATENCY_MEANS),
    score: histogram(SCORES, SCORE_MEANS),
  });
  return Array.from({ length: count }, () => ({ canary: arm(), baseline: arm() }));
}

function at(tick: number, samples: readonly Arms[]): Observation {
  return { v: 1, tick, t: tick * 5000, from: (tick - 1) * 5000, ...(samples[tick % samples.length] as Arms) };
}

import { rule } from '../src/lib/judge/judge.js';
import { begin, observe } from '../src/lib/judge/judgement.js';
import type { ArmReading, Histogram, Observation } from '../src/lib/judge/observation.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { poisson, type Random, uniform } from './canaries/random.js';

const TICKS = 20_000;
const ROUNDS = 7;
const LATENCY_MS = [5, 10, 25, 50, 75, 100, 150, 250, 500, 1000, 2500, 5000];
const LATENCY_MEANS = [2, 8, 40, 90, 120, 100, 80, 45, 12, 2, 0.5, 0.2, 0.1];
const SCORES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const SCORE_MEANS = [20, 35, 50, 70, 85, 80, 65, 45, 30, 20];

/**
 * Cost of a tick for the judge (three objectives with a baseline: p95, errors, drift) beside the floor: `JSON.parse` of
 * the same observations. Both take turns in the same process; the fastest round counts.
 */
export async function run(): Promise<void> {
  const lines = observationLines(uniform(1));
  let [parse, judge] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const observations = lines.map((line): Observation => JSON.parse(line));
    const parsed = performance.now();
    judgeAll(observations);
    parse = Math.min(parse, parsed - started);
    judge = Math.min(judge, performance.now() - parsed);
  }
  const micros = (ms: number) => ((ms * 1000) / TICKS).toFixed(1);
  console.log(`cost of a tick: p95, errors and drift against a baseline, ${TICKS} ticks, fastest of ${ROUNDS} rounds`);
  console.log(`  JSON.parse (${lines[0]!.length} bytes)  ${micros(parse)} us`);
  console.log(`  observe + rule          ${micros(judge)} us, ${(judge / parse).toFixed(2)} times JSON.parse`);
}

function judgeAll(observations: readonly Observation[]): void {
  const policy = parsePolicy({
    windowSeconds: (TICKS + 1) * 5,
    intervalSeconds: 5,
    targets: { latency_p95_ms: 500, max_error_rate: 0.02, max_drift: 0.15 },
  });
  const judgement = begin(policy, 0);
  for (const observation of observations) {
    observe(judgement, observation);
    const { decision } = rule(judgement, observation.t);
    if (decision !== 'continue') throw new Error(`stopped at tick ${observation.tick} with ${decision}`);
  }
}

function observationLines(random: Random): string[] {
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
  return Array.from({ length: TICKS }, (_, i) => {
    const observation: Observation = {
      v: 1,
      tick: i + 1,
      t: (i + 1) * 5000,
      from: i * 5000,
      canary: arm(),
      baseline: arm(),
    };
    return JSON.stringify(observation);
  });
}

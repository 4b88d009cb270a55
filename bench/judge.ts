import { parseArgs } from 'node:util';
import {
  AT_TARGET,
  FOURFOLD,
  HALF_AGAIN,
  SCENARIOS,
  type Scenario,
  TARGETS,
  TICK,
  TURNS_BAD,
  trials,
  WINDOW,
} from './canaries/scenarios.js';
import { run as measureCost } from './judge-cost.js';
import { argo } from './peers/argo.js';
import type { Contender, Outcome } from './peers/contender.js';
import { flagger } from './peers/flagger.js';
import { kayenta } from './peers/kayenta.js';
import { lukhas } from './peers/lukhas.js';

const OURS = [
  lukhas('lukhas', {}, 'defaults: correlation estimated from earlier ticks'),
  lukhas('lukhas, independent', { estimate: false }, 'requests declared independent (designEffect.estimate: false)'),
];
const DECLARED = lukhas('lukhas, batch 10', { batchSize: 10 }, 'batches of 10 declared (only where there are batches)');
const PEERS = [
  argo('argo', TICK, 0),
  argo('argo, 1m', 60, 3),
  flagger(),
  kayenta('kayenta, 1x', 'atTarget', 'exactly at the target'),
  kayenta('kayenta, 0.5x', 'atHalf', 'at half the target'),
];

/** What happened to the canaries of one scenario under one contender. */
interface Tally {
  promoted: number;
  rolledBack: number;
  undecided: number;
  /** Rolled back before they were bad, and promoted though bad. */
  wrong: { rollbacks: number; promotions: number };
  /** Seconds to the verdict, ascending. */
  seconds: number[];
}

/** `npm run bench -- judge [--canaries N] [--seed S]`: see docs/benchmarks.md. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { canaries: { type: 'string', default: '2000' }, seed: { type: 'string', default: '1' } },
  });
  const canaries = wholeNumber('--canaries', values.canaries, 1);
  const seed = wholeNumber('--seed', values.seed, 0);
  printSetting(canaries, seed);
  const results = new Map<string, Map<string, Tally>>();
  SCENARIOS.forEach((scenario, index) => {
    const contenders = [...OURS, ...(scenario.batch > 1 ? [DECLARED] : []), ...PEERS];
    const tallies = simulate(scenario, contenders, canaries, [seed, index]);
    results.set(cellKey(scenario.name, scenario.rps), tallies);
    printCell(scenario, tallies, canaries);
  });
  printGoals(results, canaries);
  await measureCost();
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`${option} ${text}: a whole number from ${least}`);
  return value;
}

/** Every contender judges the same canaries. */
export function simulate(
  scenario: Scenario,
  contenders: readonly Contender[],
  canaries: number,
  seeds: readonly number[],
): Map<string, Tally> {
  const tallies = new Map(contenders.map(({ name }) => [name, emptyTally()]));
  let left = canaries;
  for (const trial of trials(scenario, ...seeds)) {
    for (const { name, judge } of contenders) count(tallies.get(name)!, judge(trial), scenario.badFrom);
    if (--left === 0) break;
  }
  for (const { seconds } of tallies.values()) seconds.sort((a, b) => a - b);
  return tallies;
}

function emptyTally(): Tally {
  return { promoted: 0, rolledBack: 0, undecided: 0, wrong: { rollbacks: 0, promotions: 0 }, seconds: [] };
}

function count(tally: Tally, { decision, seconds }: Outcome, badFrom: number): void {
  if (decision === 'promoted') tally.promoted++;
  else if (decision === 'rolled back') tally.rolledBack++;
  else tally.undecided++;
  if (decision === 'rolled back' && seconds <= badFrom) tally.wrong.rollbacks++;
  if (decision === 'promoted' && Number.isFinite(badFrom)) tally.wrong.promotions++;
  tally.seconds.push(seconds);
}

function printSetting(canaries: number, seed: number): void {
  console.log(
    `${canaries} canaries a scenario, seed ${seed}; window ${WINDOW} s; Poisson arrivals, independent unless said`,
  );
  console.log(
    `target: at most ${percent(TARGETS.errors)} errors, or at most ${percent(TARGETS.latency)} above the p95 limit\n`,
  );
  for (const { name, settings } of [...OURS, DECLARED, ...PEERS]) console.log(`${name.padEnd(20)} ${settings}`);
}

function printCell({ name, rps, badFrom }: Scenario, tallies: ReadonlyMap<string, Tally>, canaries: number): void {
  console.log(`\n${name}, ${rps} requests/s`);
  const columns = ['promoted', 'rolled back', 'undecided', 'wrong rollbacks', 'wrong promotions', 'median', '  p90'];
  console.log(`  ${''.padEnd(20)}${columns.map((column) => column.padStart(column.length + 2)).join('')}`);
  for (const [contender, tally] of tallies) {
    const { promoted, rolledBack, undecided, wrong, seconds } = tally;
    const cells = [
      promoted,
      rolledBack,
      undecided,
      badFrom > 0 ? percent(wrong.rollbacks / canaries) : '-',
      Number.isFinite(badFrom) ? percent(wrong.promotions / canaries) : '-',
      `${quantile(seconds, 0.5)} s`,
      `${quantile(seconds, 0.9)} s`,
    ];
    const line = cells.map((cell, i) => String(cell).padStart(columns[i]!.length + 2)).join('');
    console.log(`  ${contender.padEnd(20)}${line}`);
  }
}

/** What is to be reached, and at which request rates. */
interface Goal {
  text: string;
  scenario: string;
  rps: readonly number[];
  limit: number;
  measure(tally: Tally, canaries: number): number;
  show(value: number): string;
}

const share = { show: percent };
const median = {
  measure: ({ seconds }: Tally) => quantile(seconds, 0.5),
  show: (value: number) => `${value} s`,
};
const promotions = { ...share, measure: ({ wrong }: Tally, canaries: number) => wrong.promotions / canaries };

const GOALS: readonly Goal[] = [
  {
    text: 'exactly at its target, rolled back',
    scenario: AT_TARGET,
    rps: [10, 100],
    limit: 0.01,
    ...share,
    measure: ({ wrong }, canaries) => wrong.rollbacks / canaries,
  },
  { text: '1.5x its target, promoted', scenario: HALF_AGAIN, rps: [10], limit: 0.01, ...promotions },
  { text: '4x its target, median time to verdict', scenario: FOURFOLD, rps: [100], limit: 5, ...median },
  { text: '4x its target, median time to verdict', scenario: FOURFOLD, rps: [10], limit: 15, ...median },
  { text: 'turns bad mid-window, promoted', scenario: TURNS_BAD, rps: [10, 100], limit: 0, ...promotions },
];

/** The table in short, one line a goal, and whether the judge of this project reaches it. */
function printGoals(results: ReadonlyMap<string, ReadonlyMap<string, Tally>>, canaries: number): void {
  console.log('\ntable of goals (the worst value where several request rates are named)');
  for (const goal of GOALS) {
    const worst = (contender: string) =>
      Math.max(
        ...goal.rps.map((rps) => goal.measure(results.get(cellKey(goal.scenario, rps))!.get(contender)!, canaries)),
      );
    const reached = OURS.map(({ name }) => `${name}: ${worst(name) <= goal.limit ? 'yes' : 'no'}`).join('; ');
    console.log(`\n${goal.text}, ${goal.rps.join(' and ')} requests/s: at most ${goal.show(goal.limit)}`);
    console.log(`  ${[...OURS, ...PEERS].map(({ name }) => `${name}: ${goal.show(worst(name))}`).join('; ')}`);
    console.log(`  reaches the table: ${reached}`);
  }
  console.log('');
}

function cellKey(scenario: string, rps: number): string {
  return `${scenario} @ ${rps}`;
}

/** Smallest value that at least the share `q` of the ascending values does not exceed. */
function quantile(ascending: readonly number[], q: number): number {
  return ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)]!;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))}%`;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/lib/clock.js';
import { Promotions } from '../src/lib/gates/promotions.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import type { Ledger } from '../src/lib/ledger/ledger.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { fillLog } from './canaries/log.js';

const EVENTS_EACH = 100;
const ASKED = { modelId: 'model-0', gate: 'eu', dryRun: true, by: { who: 'bench', how: 'os-user' } } as const;

/**
 * What it costs to find out whether a model may be promoted, which reads the whole log once in each process: the first time,
 * and once 100 more entries are there. Option: `--events 1000,100000,1000000`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { events: { type: 'string', default: '1000,100000,1000000' }, runs: { type: 'string', default: '5' } },
  });
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  try {
    console.log('   entries   first ms   again ms   longest pause ms   answer');
    for (const events of values.events.split(',').map(Number)) {
      const ledger = await openLedger(join(folder, `${events}.db`));
      try {
        await measure(ledger, events, Number(values.runs));
      } finally {
        await ledger.close();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(ledger: Ledger, events: number, runs: number): Promise<void> {
  const policy = parsePolicy({ windowSeconds: 300, targets: { max_error_rate: 0.02, latency_p95_ms: 250 } });
  await fillLog(ledger, policy, { canaries: Math.max(1, events / EVENTS_EACH), events });
  const firsts: number[] = [];
  const pauses: number[] = [];
  let answer = '';
  let last: Promotions | null = null;
  for (let i = 0; i < runs; i++) {
    const promotions = promotionsOf(ledger);
    const pause = longestPause();
    const start = performance.now();
    answer = (await promotions.promote(ASKED)).reason;
    firsts.push(performance.now() - start);
    pauses.push(pause());
    last = promotions;
  }
  await fillLog(ledger, policy, { canaries: 1, events: EVENTS_EACH }).catch(() => undefined);
  const start = performance.now();
  await last?.promote(ASKED);
  const again = performance.now() - start;
  const cells = [String(events), median(firsts).toFixed(0), again.toFixed(1), Math.max(...pauses).toFixed(1)];
  console.log(`${cells.map((cell, i) => cell.padStart([10, 11, 11, 19][i] ?? 0)).join('')}   ${answer}`);
}

function promotionsOf(ledger: Ledger): Promotions {
  const clock = systemClock();
  const hooks = { promote: [], rollback: [] };
  return new Promotions({ ledger, clock, hooks, env: {}, requireCanary: true, holder: 'bench:1:x' });
}

/** Longest time that nothing else could run. @returns what ends the measurement */
function longestPause(): () => number {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

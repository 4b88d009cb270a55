import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Canaries } from '../src/lib/canary/canaries.js';
import { systemClock } from '../src/lib/clock.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';

const BIN = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const CANARIES = 20;
const WARM_UP = 3;

/**
 * Time from the start of a process to its end, beside a node that does nothing. The contenders take turns; medians are
 * compared. Measures what is in dist/. Options: `--runs 40`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: 'string', default: '40' } } });
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error('nothing to measure: npm run build');
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  try {
    const db = join(folder, 'ledger.db');
    await fill(db);
    const contenders: [string, string[]][] = [
      ['node -e 0', ['-e', '0']],
      ['lukhas --version', [BIN, '--version']],
      [`lukhas canary list --json (${CANARIES} canaries)`, [BIN, 'canary', 'list', '--json', '--db', db]],
    ];
    print(compare(contenders, folder, Number(values.runs)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(path: string): Promise<void> {
  const ledger = await openLedger(path);
  const canaries = new Canaries(ledger, systemClock());
  const policy = parsePolicy({ windowSeconds: 300, targets: { max_error_rate: 0.02 } });
  const common = { fromGate: 'stage', toGate: 'production', policy, source: { kind: 'none' as const }, dryRun: false };
  for (let i = 0; i < CANARIES; i++)
    await canaries.start({ ...common, modelId: `model-${i}`, by: { who: 'bench', how: 'os-user' } });
  await ledger.close();
}

function compare(contenders: readonly [string, string[]][], cwd: string, runs: number): Map<string, number[]> {
  const times = new Map<string, number[]>(contenders.map(([name]) => [name, []]));
  for (let i = -WARM_UP; i < runs; i++) {
    for (const [name, args] of contenders) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env: plainEnvironment() });
      if (status !== 0) throw new Error(`${name}: exit code ${status}\n${stderr}`);
      if (i >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  return times;
}

/** As a shell has it: no loaders of this benchmark's own. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return env;
}

function print(times: Map<string, number[]>): void {
  const medians = [...times].map(([name, ms]) => ({ name, ms: quantile(ms, 0.5), least: quantile(ms, 0) }));
  const floor = medians[0]?.ms ?? Number.NaN;
  console.log('median ms   least ms   to node -e 0');
  for (const { name, ms, least } of medians)
    console.log(
      `${ms.toFixed(1).padStart(9)}${least.toFixed(1).padStart(11)}${(ms / floor).toFixed(2).padStart(15)}   ${name}`,
    );
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
}

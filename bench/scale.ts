import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import type { RoundResult } from './scale-driver.js';

const PIN = 'taskset';
const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Many canaries at 5 s ticks in one process against one Prometheus (a stub in a process of its own): whether every look
 * comes in time, and what one costs. Options: `--canaries 10,100,1000`, `--seconds 60` a round, `--prof` (a CPU profile
 * of each round beside the bundle).
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      canaries: { type: 'string', default: '10,100,1000' },
      seconds: { type: 'string', default: '60' },
      prof: { type: 'boolean', default: false },
    },
  });
  const folder = join(root, 'node_modules/.cache/lukhas-bench');
  const prometheus = await startPrometheus();
  try {
    const driver = await bundleDriver(folder);
    const results: RoundResult[] = [];
    for (const canaries of values.canaries.split(',')) {
      const node = values.prof ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
      const result = await driveRound([...node, driver, canaries, values.seconds, String(prometheus.port)]);
      if (results.length === 0) console.log(HEAD);
      console.log(row(result));
      results.push(result);
    }
    console.log(summary(results));
  } finally {
    prometheus.child.stdin?.end();
    if (!values.prof) await rm(folder, { recursive: true, force: true });
  }
}

async function startPrometheus(): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/run.ts', 'scale-prometheus'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, 'line')) as [string];
  return { child, port: Number(port) };
}

/** As it is shipped: what compiles on the fly adds a cost of its own to every closure. */
async function bundleDriver(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, 'scale-driver.mjs');
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `import { run } from './bench/scale-driver.ts'; await run(process.argv.slice(2));`,
      resolveDir: root,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.14',
    external: ['better-sqlite3'],
    banner: { js: `import{createRequire as __r}from'node:module';const require=__r(import.meta.url);` },
    logLevel: 'warning',
  });
  return outfile;
}

/** On one core, where there is `taskset`. */
async function driveRound(args: readonly string[]): Promise<RoundResult> {
  const pinned = spawnSync(PIN, ['--version']).status === 0;
  const [command, before] = pinned ? [PIN, ['-c', '0', process.execPath]] : [process.execPath, []];
  const child = spawn(command, [...before, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close') as Promise<[number | null]>;
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = await closed;
  if (code !== 0) throw new Error(`the driver ended with ${code}`);
  return JSON.parse(text) as RoundResult;
}

const HEAD =
  'canaries   ticks   late  no data   lateness p50/p99/max ms   on disk p50/p99/max ms   CPU ms/tick   floor   requests/tick   RSS MiB';

function row(r: RoundResult): string {
  const three = ({ p50, p99, max }: RoundResult['lateness']) => [p50, p99, max].map((ms) => ms.toFixed(0)).join(' / ');
  return [
    String(r.canaries).padStart(8),
    String(r.ticks).padStart(8),
    String(r.late).padStart(7),
    String(r.withoutData).padStart(9),
    three(r.lateness).padStart(26),
    three(r.recorded).padStart(25),
    r.cpuPerTick.toFixed(2).padStart(14),
    r.floor.toFixed(2).padStart(8),
    r.requestsPerTick.toFixed(2).padStart(16),
    r.rssMiB.toFixed(0).padStart(10),
  ].join('');
}

function summary(results: readonly RoundResult[]): string {
  const [least, most] = [results[0], results.at(-1)];
  if (least === undefined || most === undefined) return 'no rounds';
  const ratio = most.cpuPerTick / least.cpuPerTick;
  return [
    `each canary asks its own selector: ${most.canaries} of them, ${(most.bytes / 1024).toFixed(1)} KiB an answer`,
    `floor: CPU of one GET of such an answer over a kept connection and JSON.parse`,
    `CPU per canary and tick, ${most.canaries} to ${least.canaries} canaries: ${ratio.toFixed(2)}; to the floor: ${(most.cpuPerTick / most.floor).toFixed(1)}`,
  ].join('\n');
}

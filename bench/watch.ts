import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { build } from 'esbuild';
import { Canaries } from '../src/lib/canary/canaries.js';
import { systemClock } from '../src/lib/clock.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { ENDED_KINDS } from '../src/lib/readings/meaning.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'bin/run.js');
const ANA = { who: 'bench', how: 'os-user' } as const;
/** Clock ticks of /proc a second. */
const HZ = 100;

const HELLO = `import { Box, render, Text } from 'ink'; import React from 'react';
render(React.createElement(Box, null, React.createElement(Text, null, 'q quit')), { alternateScreen: true, interactive: true });
setInterval(() => undefined, 1e6);`;

/**
 * The live view in a terminal of its own (that of `script`, 200x60): time to its first screen beside a bare Ink hello that is
 * bundled in the same way, then processor time and bytes to the terminal while nothing happens, and while canaries are checked
 * each second. Measures what is in dist/. Options: `--runs 10 --seconds 20 --canaries 500 --running 5`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '20' },
      canaries: { type: 'string', default: '500' },
      running: { type: 'string', default: '5' },
    },
  });
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error('nothing to measure: npm run build');
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  try {
    const db = join(folder, 'lukhas.db');
    const empty = join(folder, 'empty.db');
    await fill(empty, 0);
    await fill(db, Number(values.canaries));
    const hello = await bundledHello(folder);
    const watch = (path: string) => [BIN, 'watch', '--db', path];
    const contenders: Contender[] = [
      ['bare Ink hello', [hello], HELLO_SCREEN],
      ['lukhas watch, empty log', watch(empty), /No canaries yet/],
      [`lukhas watch, ${values.canaries} canaries`, watch(db), LIST_SCREEN],
    ];
    console.log('time to the first screen, ms (median of', values.runs, 'runs, taking turns)');
    for (const [name, times] of await firstScreens(contenders, folder, Number(values.runs)))
      console.log(`  ${name.padEnd(32)} ${median(times).toFixed(0)}`);
    const seconds = Number(values.seconds);
    console.log(`while it is shown for ${seconds} s`);
    report('idle, bare Ink hello', await shown([hello], folder, seconds, HELLO_SCREEN));
    report(`idle, ${values.canaries} canaries`, await shown(watch(db), folder, seconds));
    await withRunning(folder, db, Number(values.running), async (id) => {
      report(`list, ${values.running} checked each second`, await shown(watch(db), folder, seconds));
      report('one that is checked each second', await shown([...watch(db), id], folder, seconds, /Objectives/));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(path: string, canaries: number): Promise<void> {
  const ledger = await openLedger(path);
  const all = new Canaries(ledger, systemClock());
  const policy = parsePolicy({ windowSeconds: 300, targets: { max_error_rate: 0.02 } });
  const common = { fromGate: 'stage', toGate: 'production', policy, source: { kind: 'none' as const }, dryRun: false };
  for (let i = 0; i < canaries; i++) {
    const { id } = await all.start({ ...common, modelId: `model-${i}`, by: ANA });
    await all.abort(id, ANA, 'for the benchmark');
  }
  await ledger.close();
}

/** As scripts/build.js bundles what lukhas shows. */
async function bundledHello(folder: string): Promise<string> {
  const source = join(ROOT, 'bench', `hello.${process.pid}.tmp.ts`);
  const outfile = join(folder, 'hello.mjs');
  await writeFile(source, HELLO);
  try {
    await build({
      entryPoints: [source],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node22.14',
      define: { 'process.env.NODE_ENV': '"production"' },
      alias: { 'react-devtools-core': join(ROOT, 'scripts/no-devtools.js') },
      banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
      logLevel: 'warning',
    });
  } finally {
    await rm(source);
  }
  return outfile;
}

type Contender = [name: string, args: string[], marker: RegExp];

const HELLO_SCREEN = /q quit/;
const LIST_SCREEN = /model-\d/;

interface Shown {
  child: ChildProcess;
  /** Ms from its start until the whole first screen was written. */
  first: number;
  bytes(): number;
}

/** Starts a program in a terminal, and waits for what is on its first screen once all is read. */
async function start(args: readonly string[], cwd: string, marker: RegExp): Promise<Shown> {
  const line = [process.execPath, ...args].map((arg) => `'${arg}'`).join(' ');
  const began = performance.now();
  const child = spawn('script', ['-qefc', `stty cols 200 rows 60; exec ${line}`, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  let bytes = 0;
  const first = await new Promise<number>((resolve, reject) => {
    child.once('close', () => reject(new Error(`ended without a screen: ${text}`)));
    child.stdout!.on('data', (part: Buffer) => {
      bytes += part.length;
      if (text.length > 200_000) return;
      text += part.toString();
      if (marker.test(stripVTControlCharacters(text))) resolve(performance.now() - began);
    });
  });
  return { child, first, bytes: () => bytes };
}

async function stop({ child }: Shown): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve));
  for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGTERM');
  await closed;
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

async function firstScreens(
  contenders: readonly Contender[],
  cwd: string,
  runs: number,
): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(contenders.map(([name]) => [name, []]));
  for (let i = -2; i < runs; i++)
    for (const [name, args, marker] of contenders) {
      const one = await start(args, cwd, marker);
      if (i >= 0) times.get(name)!.push(one.first);
      await stop(one);
    }
  return times;
}

interface Cost {
  /** Share of one core, 0..1. */
  cpu: number;
  bytesPerSecond: number;
  rssMb: number;
}

async function shown(args: readonly string[], cwd: string, seconds: number, marker = LIST_SCREEN): Promise<Cost> {
  const one = await start(args, cwd, marker);
  const [pid] = childrenOf(one.child.pid!);
  // What it does once, after its first screen, is not what it does all the time.
  await wait(3000);
  const [cpu, bytes, began] = [cpuOf(pid!), one.bytes(), performance.now()];
  await wait(seconds * 1000);
  const lasted = (performance.now() - began) / 1000;
  const cost = {
    cpu: (cpuOf(pid!) - cpu) / lasted,
    bytesPerSecond: (one.bytes() - bytes) / lasted,
    rssMb: rssOf(pid!),
  };
  await stop(one);
  return cost;
}

/** Seconds of processor time of a process, all its threads. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / HZ;
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

function report(name: string, { cpu, bytesPerSecond, rssMb }: Cost): void {
  const text = `${(cpu * 100).toFixed(1)}% of a core, ${bytesPerSecond.toFixed(0)} bytes/s, ${rssMb.toFixed(0)} MB`;
  console.log(`  ${name.padEnd(32)} ${text}`);
}

/** Canaries that are driven by processes of their own, on a page that counts. */
async function withRunning(
  folder: string,
  db: string,
  count: number,
  work: (newest: string) => Promise<void>,
): Promise<void> {
  const began = Date.now();
  const server = createServer((_, response) => {
    const requests = Math.floor((Date.now() - began) / 2) + 100;
    const lines = [
      `process_start_time_seconds ${began / 1000}`,
      `model_requests_total ${requests}`,
      'model_errors_total 0',
      ...['0.05', '0.25', '1', '+Inf'].map((le) => `model_latency_bucket{le="${le}"} ${requests}`),
      `model_latency_sum ${requests * 0.01}`,
      `model_latency_count ${requests}`,
    ];
    response.setHeader('content-type', 'text/plain; version=0.0.4').end(`${lines.join('\n')}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const policy = join(folder, 'policy.yaml');
  await writeFile(
    policy,
    'windowSeconds: 600\nintervalSeconds: 1\ntargets: { max_error_rate: 0.02, latency_p95_ms: 250 }\n',
  );
  const children = Array.from({ length: count }, (_, i) =>
    spawn(
      process.execPath,
      [BIN, 'canary', 'start', '--db', db, '--model', `live-${i}`, '--from', 'stage', '--to', 'production'].concat([
        '--policy',
        policy,
        '--canary-url',
        url,
        '--allow-shared-series',
      ]),
      { cwd: folder, stdio: 'ignore' },
    ),
  );
  try {
    await work(await anyOpen(db, count));
  } finally {
    await Promise.all(
      children.map((child) => {
        const closed = new Promise((resolve) => child.once('close', resolve));
        child.kill('SIGTERM');
        return closed;
      }),
    );
    server.close();
  }
}

/** Waits until so many are open. @returns the id of one */
async function anyOpen(db: string, count: number): Promise<string> {
  const ledger = await openLedger(db);
  try {
    for (;;) {
      const open = await ledger.openSubjects('canary', ENDED_KINDS);
      if (open.length >= count) return open[0]!;
      await wait(100);
    }
  } finally {
    await ledger.close();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

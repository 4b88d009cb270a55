import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { fillLog } from './canaries/log.js';
import { largeArchive } from './export-large.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Entries of one canary. */
const PER_CANARY = 25;
const HEALTH_EVERY_MS = 20;
const POLICY = { windowSeconds: 100, intervalSeconds: 5, targets: { max_error_rate: 0.02 } };

/** The same files as in a pack, by the column or by what SQLite makes of it. */
const SELECTS = {
  ndjson: 'SELECT body FROM events ORDER BY seq',
  json: "SELECT body || ',' FROM events ORDER BY seq",
  csv: `SELECT seq, ts, kind, subject, json_extract(body, '$.data.modelId'), json_extract(body, '$.data.fromGate'),
    json_extract(body, '$.data.toGate'), json_extract(body, '$.data.by.who'),
    json_extract(body, '$.data.verdict.decision'), json_extract(body, '$.data.reason'), json_extract(body, '$.data')
    FROM events ORDER BY seq`,
  observations: `SELECT '{"canaryId":"' || canary || '","observation":' || body || '}' FROM canary_metrics
    ORDER BY canary, tick`,
};

interface Result {
  seconds: number;
  /** Processor time of all its processes, seconds: what others do on the machine changes it less. */
  cpu: number;
  /** Largest resident memory, MiB; null where it is not asked for. */
  mebibytes: number | null;
}
type Contender = () => Promise<Result>;

/**
 * Exports a log, beside floors that the system's own programs set on the same entries in the same run. Options:
 * `--events 1000000`, `--rounds 3`, `--db FILE` (a copy of a log: exports leave keys and a checkpoint beside it, the daemon an index in it), `--large` (no log: an
 * archive of more than 4 GiB).
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '3' },
      db: { type: 'string' },
      large: { type: 'boolean', default: false },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  const cache = join(root, 'node_modules/.cache/lukhas-bench');
  try {
    if (values.large) {
      await largeArchive(folder);
      return;
    }
    const db = values.db === undefined ? await fill(join(folder, 'log.db'), Number(values.events)) : resolve(values.db);
    await describe(db);
    const driver = await bundleDriver(cache);
    const results = await compare(contenders(driver, db, folder), Number(values.rounds));
    print(results);
    await printSizes(folder);
    console.log(await healthWhileExporting(driver, db));
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(cache, { recursive: true, force: true });
  }
}

async function fill(db: string, events: number): Promise<string> {
  const ledger = await openLedger(db);
  await fillLog(ledger, parsePolicy(POLICY), { events, canaries: Math.ceil(events / PER_CANARY) });
  await ledger.close();
  return db;
}

async function describe(db: string): Promise<void> {
  const ledger = await openLedger(db, { readOnly: true });
  const size = await ledger.size();
  await ledger.close();
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}`);
  console.log(`${size.toLocaleString('en')} entries, database of ${megabytes((await stat(db)).size)}\n`);
}

type Name = 'ndjson' | 'ndjson floor' | 'pack' | 'pack floor';

function contenders(driver: string, db: string, folder: string): Record<Name, Contender> {
  const dump = (what: keyof typeof SELECTS) =>
    `sqlite3 -readonly ${what === 'csv' ? '-csv' : ''} "$0" "${SELECTS[what]}"`;
  const zipped = (what: keyof typeof SELECTS) =>
    `${dump(what)} | tee >(sha256sum > "$1/${what}.sum") | zip -q -6 - - > "$1/floor-${what}.zip"`;
  const all = (Object.keys(SELECTS) as (keyof typeof SELECTS)[]).map(zipped).join('\n');
  const shell = (script: string) => () => timed('bash', ['-euo', 'pipefail', '-c', `${script}\ntimes`, db, folder]);
  const node = (what: string, out: string) => () => timed(process.execPath, [driver, what, db, join(folder, out)]);
  return {
    ndjson: node('ndjson', 'lines.ndjson'),
    'ndjson floor': shell(`${dump('ndjson')} > "$1/floor.ndjson"`),
    pack: node('pack', 'pack.zip'),
    'pack floor': shell(all),
  };
}

async function compare(all: Record<Name, Contender>, rounds: number): Promise<Record<Name, Result>> {
  const names = Object.keys(all) as Name[];
  const results: Record<Name, Result[]> = { ndjson: [], 'ndjson floor': [], pack: [], 'pack floor': [] };
  // The first round fills the caches of the system, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await all[name]();
      if (round > 0) results[name].push(result);
    }
  }
  return Object.fromEntries(names.map((name) => [name, middle(results[name])])) as Record<Name, Result>;
}

/** The median times, and the most memory. */
function middle(results: readonly Result[]): Result {
  const median = (of: (result: Result) => number) =>
    results.map(of).sort((a, b) => a - b)[Math.floor(results.length / 2)] ?? Number.NaN;
  const memory = results.flatMap((r) => r.mebibytes ?? []);
  return {
    seconds: median((r) => r.seconds),
    cpu: median((r) => r.cpu),
    mebibytes: memory.length === 0 ? null : Math.max(...memory),
  };
}

function print(results: Record<Name, Result>): void {
  for (const [name, { seconds, cpu, mebibytes }] of Object.entries(results)) {
    const memory = mebibytes === null ? '' : `, at most ${mebibytes.toFixed(0)} MiB resident`;
    console.log(`${name.padEnd(14)}${seconds.toFixed(2).padStart(8)} s, processor ${cpu.toFixed(2)} s${memory}`);
  }
  const ratio = (name: 'ndjson' | 'pack') => {
    const [own, floor] = [results[name], results[`${name} floor`]];
    return `${(own.seconds / floor.seconds).toFixed(2)}x its floor, ${(own.cpu / floor.cpu).toFixed(2)}x its processor time`;
  };
  console.log(`\nndjson  ${ratio('ndjson')} (goal: 2x)`);
  console.log(`pack    ${ratio('pack')} (goal: 1.5x)`);
  const most = results.pack.mebibytes ?? Number.NaN;
  console.log(`memory  ${most.toFixed(0)} MiB (goal: below 150 MiB)`);
}

async function printSizes(folder: string): Promise<void> {
  const sizes = await Promise.all(Object.keys(SELECTS).map((name) => stat(join(folder, `floor-${name}.zip`))));
  const floor = sizes.reduce((sum, { size }) => sum + size, 0);
  console.log(`size    ${megabytes((await stat(join(folder, 'pack.zip'))).size)}, floor ${megabytes(floor)}`);
}

/** Asks the daemon how it is, again and again, while it exports. */
async function healthWhileExporting(driver: string, db: string): Promise<string> {
  const child = spawn(process.execPath, [driver, 'daemon', db], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  let exporting = true;
  const download = drain(`${url}/evidence/export?from=2000-01-01T00:00:00Z`).finally(() => {
    exporting = false;
  });
  const times: number[] = [];
  while (exporting) {
    const start = performance.now();
    await (await fetch(`${url}/health`)).text();
    times.push(performance.now() - start);
    await wait(HEALTH_EVERY_MS);
  }
  const size = await download;
  child.stdin.end();
  await once(child, 'close');
  times.sort((a, b) => a - b);
  const at = (share: number) => `${(times[Math.floor(share * (times.length - 1))] ?? Number.NaN).toFixed(1)} ms`;
  return `health  p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} of ${times.length} during a download of ${megabytes(size)}`;
}

async function drain(url: string): Promise<number> {
  const response = await fetch(url);
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) size += chunk.length;
  return size;
}

async function timed(command: string, args: readonly string[]): Promise<Result> {
  const start = performance.now();
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, ...used(text) };
}

/** What the driver says of itself, or the shell's `times` of itself and of what it has waited for. */
function used(text: string): Pick<Result, 'cpu' | 'mebibytes'> {
  const [, cpu, kibibytes] = /^([\d.]+) (\d+)\n$/.exec(text) ?? [];
  if (kibibytes !== undefined) return { cpu: Number(cpu), mebibytes: Number(kibibytes) / 1024 };
  const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)].map(([, minutes, rest]) => Number(minutes) * 60 + Number(rest));
  return { cpu: times.reduce((sum, time) => sum + time, 0), mebibytes: null };
}

/** As it is shipped: what compiles on the fly takes time and memory of its own. */
async function bundleDriver(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { driver: 'bench/export-driver.ts' },
    outExtension: { '.js': '.mjs' },
    outdir: folder,
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.14',
    packages: 'external',
    logLevel: 'warning',
  });
  return join(folder, 'driver.mjs');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

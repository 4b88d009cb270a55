import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { type Probed, Prober, startDaemon } from './probes/daemon.js';
import { appendJobs, makeLog } from './probes/log.js';
import { untilIndexed, type Work, works } from './probes/works.js';

/** Short work is repeated for as long: of fewer probes the 99th percentile says nothing. */
const LEAST_MS = 3000;

/**
 * How long `/healthz` takes while the daemon does what grows with the log, beside a daemon that does nothing. Options:
 * `--entries 300000`, `--db FILE` (keeps the log there, and takes the one that is there), `--only TEXT` (of the names of works).
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      entries: { type: 'string', default: '300000' },
      db: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  if (!existsSync(new URL('../dist/main.js', import.meta.url))) throw new Error('nothing to measure: npm run build');
  const home = await mkdtemp(join(tmpdir(), 'lukhas-bench-probes-'));
  const prober = new Prober();
  try {
    const db = values.db ?? join(home, 'log.db');
    if (!existsSync(db)) await makeLog(db, Number(values.entries));
    await measure({ db, home, prober, only: values.only });
  } finally {
    prober.close();
    await rm(home, { recursive: true, force: true });
  }
}

async function measure({ db, home, prober, only }: { db: string; home: string; prober: Prober; only: string }) {
  const ledger = await openLedger(db);
  const size = await ledger.size();
  await ledger.close();
  const daemon = await startDaemon(db, home);
  await untilIndexed(db);
  console.log(`${size} entries; the daemon listened after ${daemon.startMs.toFixed(0)} ms`);
  console.log('  p50 ms    p99 ms    max ms   p99/idle  failed   took s  while');
  let idle: Probed | null = null;
  try {
    const append = (first: number, count: number) => appendJobs(db, first, count);
    for (const { name, run } of works({ url: daemon.url, db, home, size, append }).filter(wanted(only))) {
      const began = performance.now();
      let took = 0;
      const probed = await prober.during(daemon.url, LEAST_MS, async () => {
        do await run();
        while (performance.now() - began < LEAST_MS);
        took = performance.now() - began;
      });
      idle ??= probed;
      print(name, probed, took, idle);
    }
  } finally {
    console.log(`the daemon stopped within ${(await daemon.stop()).toFixed(0)} ms`);
  }
}

function wanted(only: string): (work: Work) => boolean {
  return ({ name }) => name === 'nothing' || name.includes(only);
}

function print(name: string, { times, failed }: Probed, tookMs: number, idle: Probed): void {
  const at = (probed: Probed, share: number) =>
    probed.times[Math.floor(share * (probed.times.length - 1))] ?? Number.NaN;
  const probed = { times, failed };
  const cells = [
    ...[0.5, 0.99, 1].map((share) => at(probed, share).toFixed(1).padStart(8)),
    `${(at(probed, 0.99) / at(idle, 0.99)).toFixed(1)}x`.padStart(9),
    String(failed).padStart(6),
    (tookMs / 1000).toFixed(1).padStart(7),
  ];
  console.log(`${cells.join('  ')}  ${name}`);
}

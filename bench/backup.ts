import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../test/lib/ledger/examples.js';

const APPENDER = fileURLToPath(new URL('../test/e2e/ledger/append-steadily.ts', import.meta.url));
const COMMAND = fileURLToPath(new URL('../bin/run.js', import.meta.url));
const ENTRIES = 200_000;
const BATCH = 1000;
const QUIET_MS = 5000;

/**
 * How long writers wait while the database is copied: one process appends an entry each millisecond, another makes a backup.
 * @param args number of entries in the log
 */
export async function run([entries]: readonly string[]): Promise<void> {
  const count = entries === undefined ? ENTRIES : Number(entries);
  const dir = await mkdtemp(join(tmpdir(), 'lukhas-bench-backup-'));
  try {
    const db = join(dir, 'log.db');
    await fill(db, count);
    await mkdir(join(dir, 'backups'));
    const recipient = await identityToRecipient(await generateX25519Identity());
    process.stdout.write(`database: ${Math.round((await stat(db)).size / 1e6)} MB, ${count} entries\n`);
    show('without a backup', await gapsWhile(db, () => new Promise((resolve) => setTimeout(resolve, QUIET_MS))));
    const began = performance.now();
    let seconds = 0;
    const during = await gapsWhile(db, async () => {
      const args = ['db', 'backup', '--db', db, '--to', join(dir, 'backups'), '--recipient', recipient];
      await ended(spawn(process.execPath, [COMMAND, ...args], { stdio: 'inherit' }));
      seconds = (performance.now() - began) / 1000;
    });
    process.stdout.write(`backup: ${seconds.toFixed(1)} s\n`);
    show('during a backup', during);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function fill(db: string, count: number): Promise<void> {
  const ledger = await openLedger(db);
  for (let at = 0; at < count; at += BATCH)
    await ledger.commit({
      events: Array.from({ length: Math.min(BATCH, count - at) }, (_, i) => finished(`c${at + i}`)),
    });
  await ledger.close();
}

/** Gaps between acknowledged appends of a process that writes all the while, ms. */
async function gapsWhile(db: string, work: () => Promise<unknown>): Promise<number[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', APPENDER, db], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = text(child.stdout);
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  await work();
  child.kill('SIGTERM');
  const gaps = JSON.parse((await said).trimEnd().split('\n').at(-1) ?? '[]') as number[];
  return gaps.slice(1);
}

function ended(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    child
      .once('error', reject)
      .once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit code ${code}`))));
  });
}

function show(what: string, gaps: number[]): void {
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  process.stdout.write(
    `${what}: ${gaps.length} appends, gap p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms\n`,
  );
}

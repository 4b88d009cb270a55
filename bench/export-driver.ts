import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { loadConfig } from '../src/lib/app/config.js';
import { systemClock } from '../src/lib/clock.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';

const VERSION = '0.0.0';

/**
 * What one process of the benchmark does; prints its processor time in seconds and its largest resident memory in KiB, or
 * where the daemon listens.
 */
async function run([what = '', db = '', out = '']: readonly string[]): Promise<void> {
  if (what === 'daemon') return serve(db);
  await (what === 'ndjson' ? writeLines(db, out) : writePack(db, out));
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.stdout.write(`${(userCPUTime + systemCPUTime) / 1e6} ${maxRSS}\n`);
}

async function writeLines(db: string, out: string): Promise<void> {
  const ledger = await openLedger(db, { readOnly: true });
  const digest = createHash('sha256');
  async function* chunks(): AsyncGenerator<Buffer> {
    for await (const { bytes } of ledger.pages.lines({ from: 0, to: await ledger.size() }, '\n')) {
      digest.update(bytes);
      yield bytes;
    }
  }
  // One write of the disk for many pages.
  await pipeline(chunks, createWriteStream(out, { highWaterMark: 256 * 1024 }));
  digest.digest('hex');
  await ledger.close();
}

async function writePack(db: string, out: string): Promise<void> {
  const [{ EvidenceExport }, { keepHeapSmall }] = await Promise.all([
    import('../src/lib/app/evidence/export.js'),
    import('../src/cli/small-heap.js'),
  ]);
  // As the command does.
  keepHeapSmall();
  const config = await loadConfig({ flags: { db } });
  const ledger = await openLedger(db, { readOnly: true });
  const place = { ledger, config, clock: systemClock(), version: VERSION };
  const pack = await EvidenceExport.prepare(place, { from: '2000-01-01T00:00:00Z' });
  await pack.writeFile(out);
  await ledger.close();
}

/** Until its standard input ends. */
async function serve(db: string): Promise<void> {
  const [{ startDaemon }, { openApp }, { serveSettings }] = await Promise.all([
    import('../src/daemon/daemon.js'),
    import('../src/lib/app/app.js'),
    import('../src/lib/app/serve-settings.js'),
  ]);
  const config = await loadConfig({ flags: { db } });
  const app = await openApp({ config });
  const daemon = await startDaemon({
    app,
    version: VERSION,
    http: serveSettings(config.serve, { port: '0' }),
    readOnly: true,
    say: () => undefined,
  });
  process.stdout.write(`${daemon.url}\n`);
  process.stdin.resume().once('end', () => void daemon.stop().then(() => app.close()));
}

await run(process.argv.slice(2));

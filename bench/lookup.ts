import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type App, openApp } from '../src/lib/app/app.js';
import { loadConfig } from '../src/lib/app/config.js';
import { why } from '../src/lib/app/explanations.js';
import { systemClock } from '../src/lib/clock.js';
import { parsePolicy } from '../src/lib/judge/policy-schema.js';
import { fillLog } from './canaries/log.js';

const SMALL = { canaries: 10, events: 1000 };
const WARM_UP = 20;

interface Lookup {
  name: string;
  ask(app: App, canary: string): Promise<unknown>;
}

const LOOKUPS: readonly Lookup[] = [
  { name: 'why, a canary', ask: (app, canary) => why(app, canary) },
  { name: 'why, a model', ask: (app) => why(app, 'model-0') },
  { name: 'why, an unknown name', ask: (app) => why(app, 'test') },
  { name: 'canary_status', ask: (app, canary) => app.canaries.now(canary) },
  { name: 'search, an id', ask: (app, canary) => search(app, canary) },
  { name: 'search, a model', ask: (app) => search(app, 'model-0') },
  { name: 'search, a word of one canary', ask: (app) => search(app, 'zebra') },
  { name: 'search, words of many canaries', ask: (app) => search(app, 'rolled back production') },
  { name: 'search, a question', ask: (app) => search(app, 'what happens when metrics are missing?') },
  { name: 'fetch, a canary', ask: (app, canary) => app.search.fetch(`canary:${canary}`) },
  { name: 'fetch, an entry', ask: (app) => app.search.fetch('event:7') },
];

const search = (app: App, query: string) => app.search.search({ query, limit: 5 });

/**
 * What a question costs in a database of 10 canaries and 1,000 events, and in one of 1,000 and 100,000: median times of
 * the same calls, in turns, and their ratio. Options: `--canaries 1000 --events 100000 --runs 200`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      canaries: { type: 'string', default: '1000' },
      events: { type: 'string', default: '100000' },
      runs: { type: 'string', default: '200' },
    },
  });
  const large = { canaries: Number(values.canaries), events: Number(values.events) };
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  const apps = await Promise.all([SMALL, large].map((_, i) => open(join(folder, `${i}.db`))));
  const [small, big] = apps as [App, App];
  try {
    const ids = [await prepare(small, SMALL), await prepare(big, large)] as const;
    console.log('\n   small ms   large ms    ratio');
    for (const lookup of LOOKUPS) print(lookup.name, await compare(lookup, [small, big], ids, Number(values.runs)));
  } finally {
    for (const app of apps) await app.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function open(path: string): Promise<App> {
  return openApp({ config: await loadConfig({ flags: { db: path }, env: {} }), clock: systemClock() });
}

/** @returns a canary from the middle of the log */
async function prepare(app: App, size: { canaries: number; events: number }): Promise<string> {
  const policy = parsePolicy({ windowSeconds: 300, targets: { max_error_rate: 0.02, latency_p95_ms: 250 } });
  const filling = performance.now();
  const ids = await fillLog(app.ledger, policy, size);
  const indexing = performance.now();
  await app.search.catchUp();
  const end = performance.now();
  console.log(
    `${size.canaries} canaries, ${await app.ledger.size()} events: written in ${seconds(indexing - filling)}, indexed in ${seconds(end - indexing)}`,
  );
  return ids[Math.floor(ids.length / 2)] as string;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function compare(
  lookup: Lookup,
  apps: readonly [App, App],
  ids: readonly [string, string],
  runs: number,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let i = -WARM_UP; i < runs; i++) {
    for (const which of [0, 1] as const) {
      const start = performance.now();
      await lookup.ask(apps[which], ids[which]);
      if (i >= 0) times[which].push(performance.now() - start);
    }
  }
  return [median(times[0]), median(times[1])];
}

function print(name: string, [small, large]: [number, number]): void {
  const cells = [small.toFixed(2), large.toFixed(2), `${(large / small).toFixed(2)}x`];
  console.log(`${cells.map((cell, i) => cell.padStart(i === 2 ? 9 : 11)).join('')}   ${name}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

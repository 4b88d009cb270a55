import { hash } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { EventDraft } from '../src/lib/ledger/events.js';
import { openLedger } from '../src/lib/ledger/sqlite/ledger.js';
import { canonicalJson } from '../src/lib/ledger/tree/canonical.js';

/** Events in one transaction, and how many transactions of each contender to time. */
const GROUPS = [
  { size: 1, rounds: 600 },
  { size: 10, rounds: 400 },
  { size: 100, rounds: 150 },
  { size: 1000, rounds: 60 },
];
/** Rounds that are not counted, so that all contenders are compiled and their files have grown. */
const WARM_UP = { size: 100, rounds: 150 };
const SYNCS = 100;
const PAGE = Buffer.alloc(4096, 1);

type Name = 'floor' | 'indexed' | 'ledger' | 'serialising' | 'hashing';
/** Appends events, or does one part of that work. */
type Contender = (events: readonly EventDraft[]) => Promise<void> | void;
type Contenders = Readonly<Record<Name, Contender>>;
/** Median microseconds an event. */
type Times = Readonly<Record<Name, number>>;

/**
 * Appends a second, alone and in groups, beside a plain INSERT of the same event under the same settings:
 *
 * - floor: the event as JSON.stringify writes it, with seq, ts, kind and subject, in a table without index or proof;
 * - indexed: the same with the index that reading a subject's events needs;
 * - ledger: one `commit` an event, all of a group in one turn of the event loop, until the last is on disk.
 *
 * Two parts of the ledger's work are timed by themselves: writing the canonical text, and two SHA-256 an event (its
 * leaf, and one node of the tree). The contenders take turns in random order; medians are compared.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  const ledger = await openLedger(join(folder, 'ledger.db'));
  const contenders: Contenders = {
    floor: plainTable(join(folder, 'floor.db'), ''),
    indexed: plainTable(join(folder, 'indexed.db'), 'CREATE INDEX log_by_subject ON log (subject)'),
    ledger: async (events) => {
      await Promise.all(events.map((event) => ledger.commit({ events: [event] })));
    },
    serialising: (events) => events.forEach((event) => void canonicalJson(event)),
    hashing: hashTwice,
  };
  try {
    console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown processor'}`);
    console.log(`one page written and synced to disk: ${(await medianSync(join(folder, 'sync'))).toFixed(0)} us\n`);
    await compare(contenders, WARM_UP.size, WARM_UP.rounds);
    printHeader();
    for (const { size, rounds } of GROUPS) printRow(size, await compare(contenders, size, rounds));
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Events made so far. */
let made = 0;

async function compare(contenders: Contenders, size: number, rounds: number): Promise<Times> {
  const names = Object.keys(contenders) as Name[];
  const times: Record<Name, number[]> = { floor: [], indexed: [], ledger: [], serialising: [], hashing: [] };
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: size }, () => event(made++));
    for (const name of shuffled(names)) {
      times[name].push((await timed(() => contenders[name](events))) / size);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>;
}

/** Each finds the disk and the caches of the processor as the one before left them, so none has a fixed place. */
function shuffled<T>(items: readonly T[]): T[] {
  const places = items.map((item) => ({ item, place: Math.random() }));
  return places.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

const RATES = ['floor', 'indexed', 'ledger'] as const;
const PARTS = ['serialising', 'hashing'] as const;
const WIDTH = 13;

function printHeader(): void {
  const rates = RATES.map((name) => `${name} /s`);
  const times = RATES.map((name) => `${name} us`);
  printCells(['group', ...rates, 'to floor', 'to indexed', ...times, ...PARTS]);
}

function printRow(size: number, times: Times): void {
  const ratio = (us: number) => `${(times.ledger / us).toFixed(2)}x`;
  printCells([
    String(size),
    ...RATES.map((name) => Math.round(1e6 / times[name]).toLocaleString('en')),
    ratio(times.floor),
    ratio(times.indexed),
    ...RATES.map((name) => times[name].toFixed(1)),
    ...PARTS.map((name) => `${times[name].toFixed(1)} (${Math.round((100 * times[name]) / times.ledger)}%)`),
  ]);
}

function printCells(cells: readonly string[]): void {
  console.log(cells.map((cell) => cell.padStart(WIDTH)).join(''));
}

function plainTable(path: string, index: string): Contender {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`
    CREATE TABLE log (
      seq INTEGER PRIMARY KEY, ts TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL
    );
    ${index}`);
  const insert = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)');
  let seq = 0;
  return db.transaction((events: readonly EventDraft[]) => {
    for (const { ts, kind, subject, data } of events) {
      insert.run(seq, ts, kind, subject, JSON.stringify({ data, kind, seq, subject, ts, v: 1 }));
      seq++;
    }
  }).immediate;
}

/** On average an append completes one node of the tree. */
const NODE = Buffer.alloc(65, 1);
/** About as long as the events below. */
const LEAF = `\0${canonicalJson({ ...event(0), seq: 123456, v: 1 })}`;

function hashTwice(events: readonly EventDraft[]): void {
  for (let i = 0; i < events.length; i++) {
    hash('sha256', LEAF, 'binary');
    hash('sha256', NODE, 'binary');
  }
}

async function medianSync(path: string): Promise<number> {
  const file = await open(path, 'w');
  const times: number[] = [];
  for (let i = 0; i < SYNCS; i++) {
    times.push(
      await timed(async () => {
        await file.write(PAGE);
        await file.datasync();
      }),
    );
  }
  await file.close();
  return median(times);
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e3;
}

/** As from 50 canaries at a time, with 12 events each, and then the next 50. */
function event(i: number): EventDraft {
  const canary = Math.floor(i / 600) * 50 + (i % 50);
  return {
    kind: 'hook.finished',
    // Ids begin with the time at which the canary was asked for.
    subject: `c-${(1.77e12 + canary * 12_345).toString(36)}0d5f3a`,
    ts: '2026-01-02T03:04:05.678Z',
    data: {
      action: 'promote',
      hook: 'webhook:https://models.example/promote',
      index: 0,
      attempt: 1,
      ok: true,
      detail: 'HTTP 200 in 35 ms',
      durationMs: 35.25,
    },
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

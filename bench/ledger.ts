import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { canonicalJson } from '../src/lib/ledger/canonical.js';
import type { EventDraft } from '../src/lib/ledger/events.js';
import { openLedger } from '../src/lib/ledger/sqlite.js';

/** Events in one transaction, and how many transactions to time. */
const GROUPS = [
  { size: 1, rounds: 400 },
  { size: 10, rounds: 200 },
  { size: 100, rounds: 80 },
  { size: 1000, rounds: 30 },
];
/** Rounds that are not counted, so that all contenders are compiled. */
const WARM_UP = { size: 250, rounds: 20 };

/** Appends events and resolves with the microseconds it took. */
type Contender = (events: readonly EventDraft[]) => Promise<number>;

/**
 * Cost of an append beside the floor: the same bytes, already serialised, inserted in a table without index under the
 * same settings. `indexed` also serialises them and has the columns and indexes that reading a log needs, but proves
 * nothing. The contenders take turns; medians are compared.
 */
export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-bench-'));
  const ledger = await openLedger(join(folder, 'ledger.db'));
  const contenders: Record<string, Contender> = {
    floor: plainTable(join(folder, 'floor.db')),
    indexed: indexedTable(join(folder, 'indexed.db')),
    ledger: timed(async (events) => {
      await Promise.all(events.map((event) => ledger.commit({ events: [event] })));
    }),
  };
  try {
    console.log(
      'events per commit   floor /s   indexed /s   ledger /s   ledger:floor   ledger:indexed   (time per event)',
    );
    await compare(contenders, WARM_UP.size, WARM_UP.rounds);
    for (const { size, rounds } of GROUPS) print(size, await compare(contenders, size, rounds));
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  contenders: Record<string, Contender>,
  size: number,
  rounds: number,
): Promise<Record<string, number>> {
  const names = Object.keys(contenders);
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: size }, (_, i) => event(round * size + i));
    // Each pays for what the one before left to the disk: none is always first.
    for (const name of [...names.slice(round % names.length), ...names.slice(0, round % names.length)]) {
      const micros = (await contenders[name]?.(events)) ?? Number.NaN;
      times.get(name)?.push(micros / size);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])]));
}

function print(size: number, micros: Record<string, number>): void {
  const { floor = Number.NaN, indexed = Number.NaN, ledger = Number.NaN } = micros;
  const rate = (us: number) => Math.round(1e6 / us).toLocaleString('en');
  const ratio = (us: number) => (ledger / us).toFixed(2);
  const cells = [rate(floor).padStart(11), rate(indexed).padStart(13), rate(ledger).padStart(12)];
  console.log(
    `${String(size).padStart(17)}${cells.join('')}${ratio(floor).padStart(15)}${ratio(indexed).padStart(17)}` +
      `   (${[floor, indexed, ledger].map((us) => us.toFixed(1)).join(' / ')} us)`,
  );
}

function plainTable(path: string): Contender {
  const db = open(path);
  db.exec('CREATE TABLE plain (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO plain VALUES (?, ?)');
  let seq = 0;
  return (events) => {
    const bodies = events.map((e, i) => canonicalJson({ ...e, seq: seq + i, v: 1 }));
    const all = db.transaction(() => {
      for (const body of bodies) insert.run(seq++, body);
    }).immediate;
    return timed(async () => all())(events);
  };
}

function indexedTable(path: string): Contender {
  const db = open(path);
  db.exec(`
    CREATE TABLE log (seq INTEGER PRIMARY KEY, ts TEXT, kind TEXT, subject TEXT, body TEXT NOT NULL);
    CREATE INDEX log_by_subject ON log (subject);
    CREATE INDEX log_by_kind ON log (kind)`);
  const insert = db.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)');
  let seq = 0;
  const all = db.transaction((events: readonly EventDraft[]) => {
    for (const { ts, kind, subject, data } of events) {
      insert.run(seq, ts, kind, subject, JSON.stringify({ data, kind, seq, subject, ts, v: 1 }));
      seq++;
    }
  }).immediate;
  return timed(async (events) => all(events));
}

function open(path: string): Database.Database {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  return db;
}

function timed(append: (events: readonly EventDraft[]) => Promise<void>): Contender {
  return async (events) => {
    const start = process.hrtime.bigint();
    await append(events);
    return Number(process.hrtime.bigint() - start) / 1e3;
  };
}

function event(i: number): EventDraft {
  return {
    kind: 'hook.finished',
    subject: `can_01JD3M5Q8X${i % 50}`,
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

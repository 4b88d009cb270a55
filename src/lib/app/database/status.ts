import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, timestamp } from '../../clock.js';
import type { Ledger, StoredEvent } from '../../ledger/index.js';
import { lastOf } from '../database-settings.js';

type Entry<K extends StoredEvent['kind']> = Extract<StoredEvent, { kind: K }>;

export interface DatabaseStatus {
  path: string;
  /** Of the file, of its write-ahead log, and of the disk they are on. */
  bytes: { database: number; wal: number; free: number; diskFree: number };
  /** Whether free pages can be given back to the file system; if not, they are filled again. */
  canShrink: boolean;
  entries: number;
  /** By size, largest first. */
  tables: { name: string; rows: number; bytes: number }[];
  growth: {
    /** The part of the log it was measured over, by the log's own times. */
    days: number;
    entriesPerDay: number;
    /** Of the log alone, which is kept for ever; the rest is bounded by retention. */
    logBytesPerDay: number;
  } | null;
  /** Size of the database in a year at that rate; null: too little is recorded to say. */
  inAYearBytes: number | null;
  lastMaintenance: { ts: string; seq: number; data: Entry<'maintenance.finished'>['data'] } | null;
  lastBackup: { ts: string; seq: number; data: Entry<'backup.made'>['data'] } | null;
  lastRestore: { ts: string; seq: number; data: Entry<'backup.restored'>['data'] } | null;
}

const DAY_MS = 86_400_000;
/** Growth is measured over the newest part of the log. */
const MEASURED_DAYS = 30;
/** Less says nothing of a year. */
const LEAST_MS = 3_600_000;

/** Reads the whole file once. @throws LukhasError LEDGER_* */
export async function databaseStatus(ledger: Ledger, path: string, clock: Clock): Promise<DatabaseStatus> {
  const [space, tables, entries] = [await ledger.upkeep.space(), await ledger.upkeep.tables(), await ledger.size()];
  const disk = await statfs(dirname(path));
  const wal = await stat(`${path}-wal`).then(
    ({ size }) => size,
    () => 0,
  );
  const database = space.pages * space.pageBytes;
  const bytes = { database, wal, free: space.freePages * space.pageBytes, diskFree: disk.bavail * disk.bsize };
  const logBytes = tables.find(({ name }) => name === 'events')?.bytes ?? 0;
  const growth = await growthOf(ledger, entries, logBytes, clock);
  return {
    path,
    bytes,
    canShrink: space.canShrink,
    entries,
    tables: tables.filter(({ rows, bytes: size }) => rows > 0 || size > 0).sort((a, b) => b.bytes - a.bytes),
    growth,
    inAYearBytes: growth === null ? null : Math.round(database + growth.logBytesPerDay * 365),
    lastMaintenance: shown(await lastOf(ledger, 'maintenance.finished')),
    lastBackup: shown(await lastOf(ledger, 'backup.made')),
    lastRestore: shown(await lastOf(ledger, 'backup.restored')),
  };
}

async function growthOf(
  ledger: Ledger,
  entries: number,
  logBytes: number,
  clock: Clock,
): Promise<DatabaseStatus['growth']> {
  const [first] = await ledger.events({ limit: 1 });
  if (first === undefined) return null;
  const now = clock.now();
  const since = Math.max(Date.parse(first.ts), now - MEASURED_DAYS * DAY_MS);
  if (!(now - since >= LEAST_MS)) return null;
  const days = (now - since) / DAY_MS;
  const { from } = await ledger.pages.window({ from: timestamp(since), to: null }, entries);
  const entriesPerDay = (entries - from) / days;
  return { days, entriesPerDay, logBytesPerDay: (entriesPerDay * logBytes) / Math.max(1, entries) };
}

function shown<D>(event: { ts: string; seq: number; data: D } | null): { ts: string; seq: number; data: D } | null {
  return event === null ? null : { ts: event.ts, seq: event.seq, data: event.data };
}

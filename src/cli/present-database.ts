import type { BackupResult, DatabaseStatus, MaintenanceResult, RestoreResult } from '../lib/app/database/index.js';
import { count, plural } from '../lib/explain/index.js';
import { advice } from './advice.js';
import { block, type Styled } from './screen.js';
import { table } from './table.js';

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
const HOUR_MS = 3_600_000;

/** 3.4 MiB */
function size(bytes: number): string {
  const unit = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** unit;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function presentStatus(status: DatabaseStatus, now: number): Styled[] {
  const { path, bytes, entries, tables, growth, inAYearBytes, canShrink } = status;
  const { lastMaintenance, lastBackup, lastRestore } = status;
  const reused = canShrink ? 'maintenance gives them back' : 'filled again before the file grows';
  return [
    block([
      `${path}: ${size(bytes.database)}, ${plural(entries, 'log entry', 'log entries')}`,
      `  write-ahead log  ${size(bytes.wal)}`,
      `  free pages       ${size(bytes.free)} (${reused})`,
      `  free on disk     ${size(bytes.diskFree)}`,
      growth === null
        ? '  growth           not known yet: less than an hour is recorded'
        : `  growth           ${plural(growth.entriesPerDay, 'entry', 'entries')} a day, ${size(growth.logBytesPerDay)} a day (measured over ${plural(growth.days, 'day')})`,
      ...(inAYearBytes === null ? [] : [`  in a year        about ${size(inAYearBytes)}`]),
      `  maintenance      ${lastMaintenance === null ? 'never: lukhas db maintain' : ago(lastMaintenance.ts, now)}`,
      lastBackup === null
        ? '  backup           never: lukhas db backup'
        : `  backup           ${ago(lastBackup.ts, now)}: ${lastBackup.data.file ?? 'given to a program'} (${size(lastBackup.data.bytes)}, ${plural(lastBackup.data.size, 'entry', 'entries')})`,
      ...(lastRestore === null ? [] : [`  restored         ${ago(lastRestore.ts, now)}`]),
      '',
    ]),
    table(
      ['TABLE', 'ROWS', 'SIZE'],
      tables.map(({ name, rows, bytes: of }) => [name, count(rows), size(of)]),
    ),
  ];
}

function ago(ts: string, now: number): string {
  const hours = (now - Date.parse(ts)) / HOUR_MS;
  const age =
    hours < 1
      ? 'less than an hour'
      : hours < 48
        ? plural(Math.floor(hours), 'hour')
        : plural(Math.floor(hours / 24), 'day');
  return `${ts} (${age} ago)`;
}

export function presentMaintenance(result: MaintenanceResult): Styled {
  const { dryRun, pruned, refused, freedBytes, checkpointed, olderThanDays, durationMs } = result;
  const what = `${plural(pruned.observations, 'observation')} of ${plural(pruned.canaries, 'canary', 'canaries')} that ended more than ${plural(olderThanDays, 'day')} ago`;
  return block([
    dryRun ? `would prune ${what}` : `pruned ${what}`,
    ...(dryRun
      ? []
      : [
          `  freed ${size(freedBytes)} in ${(durationMs / 1000).toFixed(1)} s`,
          ...(checkpointed ? [] : ['  the write-ahead log is in use: the rest of it is written later']),
        ]),
    ...refused.map(({ canaryId, why }) => `  kept the observations of ${canaryId}: ${why}`),
    ...(refused.length === 0 ? [] : [advice('next: lukhas verify')]),
  ]);
}

export function presentBackup(result: BackupResult): Styled {
  const { file, checkpoint, bytes, size: entries, root, recipients, removed, durationMs, sha256 } = result;
  return block([
    `backed up ${plural(entries, 'log entry', 'log entries')}: ${file ?? 'given to the program'}`,
    `  size        ${size(bytes)}, encrypted to ${plural(recipients, 'recipient')}, in ${(durationMs / 1000).toFixed(1)} s`,
    `  root        ${root}`,
    `  sha256      ${sha256}`,
    checkpoint === null ? '  checkpoint  none beside it' : `  checkpoint  ${checkpoint}`,
    ...(removed.length === 0 ? [] : [`  removed     ${plural(removed.length, 'older copy', 'older copies')}`]),
  ]);
}

export function presentRestore(result: RestoreResult): Styled {
  const { db, size: entries, root, checkpoint, kept, setAside } = result;
  const continues =
    checkpoint === null
      ? 'none: not compared with a signed state of the log'
      : `${checkpoint.file} (${plural(checkpoint.size, 'entry', 'entries')}${checkpoint.verified ? '' : '; signature not verified (no --trust)'})`;
  return block([
    `restored ${plural(entries, 'log entry', 'log entries')}: ${db}`,
    `  root        ${root}`,
    `  checkpoint  ${continues}`,
    `  old file    ${kept ?? 'none'}`,
    ...setAside.map((path) => `  moved       ${path}`),
    ...(setAside.length === 0
      ? []
      : ['  More of this log was signed than the copy has, so it continues under a new name: lukhas keys init']),
    advice('next: lukhas verify'),
  ]);
}

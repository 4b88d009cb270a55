/**
 * Use cases of the database as a file: how full it is, maintenance, encrypted backups, restoring them. Each is loaded where it is
 * used.
 */
export type { BackupResult, BackupTarget } from './backup.js';
export type { MaintenanceResult } from './maintain.js';
export type { RestoreResult } from './restore.js';
export type { DatabaseStatus } from './status.js';

import type { Actor } from '../../ledger/index.js';
import { inThread } from '../../threads/index.js';
import type { DatabaseConfig } from '../database-settings.js';
import type { MaintenanceResult } from './maintain.js';

export interface MaintainTask {
  /** The database file. */
  path: string;
  by: Actor;
  retention: DatabaseConfig['retention'];
}

const HEAP_MIB = 512;

/**
 * Maintains the database in a thread of its own, so that nothing in this one waits for the disk.
 * @throws LukhasError as `maintain`; the signal's reason; Error when the thread died
 */
export function maintainInThread(task: MaintainTask, signal: AbortSignal): Promise<MaintenanceResult> {
  return inThread({ name: 'maintain-worker', beside: import.meta.url, data: task, signal, heapMiB: HEAP_MIB });
}

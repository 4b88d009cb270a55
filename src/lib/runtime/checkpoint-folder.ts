import { dirname, join } from 'node:path';
import type { Config } from './config.js';

/** Where the checkpoints of a database are kept: `checkpoints/` beside it. */
export function checkpointFolder({ dbPath }: Pick<Config, 'dbPath'>): string {
  return join(dirname(dbPath), 'checkpoints');
}

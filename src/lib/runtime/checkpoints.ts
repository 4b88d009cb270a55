import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.js';
import { CheckpointFiles } from '../evidence/checkpoint-files.js';
import { Checkpoints, type KeptCheckpoint } from '../evidence/checkpoints.js';
import { readSigningKey } from '../evidence/keys.js';
import { type Publication, publish, type Told } from '../evidence/publish.js';
import type { Ledger } from '../ledger/ledger.js';
import { type Config, environment } from './config.js';
import { logOrigin } from './signing-keys.js';

interface Place {
  ledger: Ledger;
  config: Config;
}

/** The checkpoints of a database: in `checkpoints/` beside it. @throws LukhasError CONFIG when there is no log key, or it cannot be used */
export async function openCheckpoints({ ledger, config }: Place): Promise<Checkpoints> {
  const key = await readSigningKey(config.keys.log);
  const files = new CheckpointFiles(join(dirname(config.dbPath), 'checkpoints'));
  return new Checkpoints({ log: ledger, files, origin: logOrigin(config, key), key });
}

/** Whether there is a file for the log key: without one no checkpoints are made. */
export async function hasLogKey({ keys }: Config): Promise<boolean> {
  try {
    await stat(keys.log);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    // Something is there that cannot be looked at: reading it will say what.
    return true;
  }
}

/**
 * Tells a checkpoint to witnesses and anchors, those of the configuration when none are given.
 * @throws what is no LukhasError
 */
export async function publishCheckpoint(
  { config, clock }: Place & { clock: Clock },
  checkpoints: Checkpoints,
  made: KeptCheckpoint,
  options: { to?: Publication; signal?: AbortSignal | undefined } = {},
): Promise<{ checkpoint: KeptCheckpoint; told: Told[] }> {
  const { to = config.evidence, signal } = options;
  return publish(checkpoints, made, to, { now: clock.now, env: environment(), signal });
}

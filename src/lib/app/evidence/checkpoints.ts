import { stat } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../../evidence/checkpoints/index.js';
import { CheckpointFiles, Checkpoints } from '../../evidence/checkpoints/index.js';
import { readSigningKey } from '../../evidence/keys/index.js';
import { type Publication, type PublishResult, publish } from '../../evidence/publish/index.js';
import type { Ledger } from '../../ledger/index.js';
import { ownerFor } from '../../process/index.js';
import { type Config, environment } from '../config.js';
import { checkpointFolder } from '../evidence-places.js';
import { logOrigin, readKey } from '../signing-keys.js';

interface Place {
  ledger: Ledger;
  config: Config;
}

/**
 * The checkpoints of a database: in `checkpoints/` beside it.
 * @param previousKey file of the log key that the current one replaces
 * @throws LukhasError CONFIG when there is no log key, or one cannot be used; USAGE when both are the same
 */
export async function openCheckpoints(
  { ledger, config }: Place,
  { previousKey = null }: { previousKey?: string | null } = {},
): Promise<Checkpoints> {
  const key = await readKey(config, 'log');
  const previous = previousKey === null ? null : await readSigningKey(previousKey);
  if (previous?.publicKey.equals(key.publicKey)) {
    throw new LukhasError('USAGE', `--old-key ${previousKey}: this is the current log key, not the previous one`);
  }
  const files = new CheckpointFiles(checkpointFolder(config), ownerFor(config.dbPath));
  const named = config.keys.origin !== null;
  return new Checkpoints({ log: ledger, files, origin: logOrigin(config, key), named, key, previous });
}

/** Whether the file of the log key exists: without one, no checkpoints are made. */
export async function hasLogKey({ keys }: Config): Promise<boolean> {
  try {
    await stat(keys.log);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    // Something is there; reading it will give a proper error.
    return true;
  }
}

/**
 * Publishes a checkpoint to witnesses and anchors, by default those of the configuration.
 * @throws any error that is not a LukhasError; those are in the results
 */
export async function publishCheckpoint(
  { config, clock }: Place & { clock: Clock },
  checkpoints: Checkpoints,
  made: KeptCheckpoint,
  options: { to?: Publication; signal?: AbortSignal | undefined } = {},
): Promise<{ checkpoint: KeptCheckpoint; results: PublishResult[]; refused: boolean }> {
  const { to = config.evidence, signal } = options;
  return publish(checkpoints, made, to, { now: clock.now, env: environment(), signal });
}

/**
 * Signs the log and has the witnesses of the configuration cosign it; nothing is sent to anchors. When another process has sent
 * a witness a newer checkpoint meanwhile, the log is signed once more.
 * @returns the results; a witness that cannot be reached, or refuses, stops nothing
 * @throws LukhasError VERIFICATION when a witness has seen another history, and as `Checkpoints.make`
 */
export async function makeCosigned(
  place: Place & { clock: Clock },
  checkpoints: Checkpoints,
  signal?: AbortSignal,
): Promise<PublishResult[]> {
  const { witnesses } = place.config.evidence;
  for (let again = true; ; again = false) {
    const made = await checkpoints.make();
    if (witnesses.length === 0) return [];
    const to = { witnesses, anchors: [] };
    const { results } = await publishCheckpoint(place, checkpoints, made, { to, signal });
    const refusal = results.find(({ error }) => error?.code === 'VERIFICATION')?.error ?? null;
    if (refusal === null) return results;
    const newest = await checkpoints.latest();
    if (!again || newest === null || newest.size <= made.size) throw refusal;
  }
}

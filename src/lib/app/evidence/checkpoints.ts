import { stat } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../../evidence/checkpoints/index.js';
import { CheckpointFiles, Checkpoints } from '../../evidence/checkpoints/index.js';
import { readSigningKey } from '../../evidence/keys/index.js';
import { type Publication, type PublishResult, publish } from '../../evidence/publish/index.js';
import type { Ledger } from '../../ledger/index.js';
import { checkpointFolder } from '../checkpoint-folder.js';
import { type Config, environment } from '../config.js';
import { logOrigin } from '../signing-keys.js';

interface Place {
  ledger: Ledger;
  config: Config;
}

/**
 * The checkpoints of a database: in `checkpoints/` beside it.
 * @param previousKey file of the log key that the present one takes the place of
 * @throws LukhasError CONFIG when there is no log key, or one cannot be used; USAGE when both are the same
 */
export async function openCheckpoints(
  { ledger, config }: Place,
  { previousKey = null }: { previousKey?: string | null } = {},
): Promise<Checkpoints> {
  const key = await readSigningKey(config.keys.log);
  const previous = previousKey === null ? null : await readSigningKey(previousKey);
  if (previous?.publicKey.equals(key.publicKey)) {
    throw new LukhasError('USAGE', `--old-key ${previousKey}: is the log key that is here now, not the one before it`);
  }
  const files = new CheckpointFiles(checkpointFolder(config));
  return new Checkpoints({ log: ledger, files, origin: logOrigin(config, key), key, previous });
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
): Promise<{ checkpoint: KeptCheckpoint; told: PublishResult[]; refused: boolean }> {
  const { to = config.evidence, signal } = options;
  return publish(checkpoints, made, to, { now: clock.now, env: environment(), signal });
}

/**
 * Signs the log and has the witnesses of the configuration cosign it; anchors are not told. When another process has told a
 * witness of a newer log meanwhile, the log is signed once more as it is then.
 * @returns what came of each; one that cannot be reached, or does not cosign, keeps nothing back
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
    const { told } = await publishCheckpoint(place, checkpoints, made, { to: { witnesses, anchors: [] }, signal });
    const refusal = told.find(({ error }) => error?.code === 'VERIFICATION')?.error ?? null;
    if (refusal === null) return told;
    const newest = await checkpoints.latest();
    if (!again || newest === null || newest.size <= made.size) throw refusal;
  }
}
